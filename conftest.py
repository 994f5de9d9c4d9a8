"""Plugins: how the corpus runs."""

import pytest

pytest.register_assert_rewrite("fixtures")
pytest_plugins = [
    "fixtures.device",
    *(
        f"fixtures.trial.{plugin}"
        for plugin in (
            *("draws", "rivals", "judge", "ask", "select", "guard", "evidence"),
            *("unsteady", "writer", "report", "progress"),
        )
    ),
    "pytester",
]
