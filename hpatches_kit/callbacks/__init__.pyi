from .benchmark_scores import BenchmarkScores as BenchmarkScores
from .collapse_alarm import CollapseAlarm as CollapseAlarm
from .live_plot import LivePlot as LivePlot
from .quality_by_level import QualityByLevel as QualityByLevel
from .resume import Resume as Resume
from .resume import read_log as read_log
