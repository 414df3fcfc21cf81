"""What single commands do on a whole project, beyond the run itself."""

from __future__ import annotations

from collections.abc import Sequence

from pipelint.engine.lock import run_lock
from pipelint.engine.project import Project
from pipelint.engine.pull import Progress, PullResult, pull, silent
from pipelint.errors import CacheUnusable, PipelintError


def pull_all(
    project: Project, only: Sequence[str] = (), *, full: bool = False, progress: Progress = silent
) -> list[PullResult]:
    """Pull the project's connections, or those named; one that fails does not stop the others."""
    results = []
    project.file.paths.create()
    with run_lock(project.file.paths.lock, clock=project.clock), project.cache() as cache:
        for connection in project.connections(only):
            try:
                with project.connect(connection) as connector:
                    result = pull(
                        cache,
                        connector,
                        project.custom_fields(connection),
                        clock=project.clock,
                        stopping=project.stopping,
                        full=full,
                        progress=progress,
                    )
            except CacheUnusable:
                raise
            except PipelintError as error:  # it does not even connect
                result = PullResult(connection.name, (), api_calls=0, seconds=0.0, error=error)
            results.append(result)
    return results
