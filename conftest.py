"""Plugins and profiles: how the corpus runs."""

import pytest
from hypothesis import HealthCheck, Phase, settings

pytest.register_assert_rewrite("fixtures")
pytest_plugins = [
    "fixtures.device",
    *(f"fixtures.trial.{plugin}" for plugin in ("rivals", "guard", "evidence", "writer", "report", "progress")),
    "pytester",
]

settings.register_profile(
    "sheet",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],  # it reads the clock
)
settings.register_profile("deep", settings.get_profile("sheet"), derandomize=False, max_examples=1000)
settings.load_profile("sheet")
