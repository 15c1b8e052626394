from .monitoring import BenchmarkScores as BenchmarkScores
from .monitoring import CollapseAlarm as CollapseAlarm
from .monitoring import LevelQuality as LevelQuality
from .monitoring import LivePlot as LivePlot
from .resume import Resume as Resume
from .resume import read_log as read_log
