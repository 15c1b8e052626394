import sys

from hpatches_kit.cli.main import main

sys.exit(main())
