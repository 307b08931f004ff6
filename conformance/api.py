"""The Python face: `check` judges one target, `run` a framework."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from conformance import targets
from conformance.backends import Backend
from conformance.baseline import expecting
from conformance.errors import UsageError
from conformance.frameworks import environment, interpreter_of, loaded_backend
from conformance.isolation import Limits, isolated
from conformance.jsonlines import Writer, begun
from conformance.plan import Plan, Task, settled
from conformance.records import CheckRecord
from conformance.remote.host import Interpreter, implementation_in
from conformance.report import Report, output_files
from conformance.reproduction import check_line, run_line
from conformance.settings import limits_of, require_jobs, require_pinned, require_settings
from oracle import catalogue
from oracle.arithmetic.formats import FORMATS, Precision
from oracle.errors import DomainError, UnknownFormulaError

__all__ = [
    "assert_conforms",
    "check",
    "judging",
    "plan_of",
    "run",
]

#: Called with each record, the number of checks that are over, and the number of all.
Progress = Callable[[CheckRecord, int, int], object]

#: Yields the records of tasks as checks end.
Judging = Callable[[Sequence[Task]], Generator[CheckRecord]]


def check(
    target: Any,
    formula: str,
    *,
    profile: str = "quick",
    seed: int = 0,
    dtypes: Sequence[str] | None = None,
    device: str = "cpu",
    arrays: Literal["torch", "jax", "numpy"] | None = None,
    hyperparameters: Mapping[str, float] | None = None,
    precision: Precision | None = None,
    isolate: bool | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    python: str | None = None,
    baseline: str | Path | None = None,
    replay: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Judge one optimizer or function by the formula that it claims to compute.

    Parameters
    ----------
    target : class, callable or str
        A class of optimizers or schedulers, a function, or ``"module:name"``; see `conformance.targets.implementation`.
    formula : str
        Id of the formula, such as ``"adamw"``; with the evaluation that the target claims, if it claims one,
        as in ``"layer_norm:one_pass"``.
    profile : {"quick", "standard", "thorough"}
        How many inputs are drawn: the quick ones, 10 times or 100 times as many.
    seed : int
        What they are drawn from, at least 0.
    dtypes : sequence of str, optional
        Float64 and float32 if not given.
    device : str
        Such as ``"cpu"`` or ``"cuda:1"``.
    arrays : {"torch", "jax", "numpy"}, optional
        What a function takes.
    hyperparameters : mapping of str to float, optional
        Values that the target uses for hyperparameters that it does not offer.
    precision : Precision, optional
        The only precision model to accept, for its storage dtype.
    isolate : bool, optional
        Whether the target runs in a process of its own, so that a segmentation fault, an abort, an exit or a hang costs
        one check and not all of them; if not given, it does if it is named by a string.
    timeout : float, optional
        Seconds that an isolated target may take for one answer, the run of one training or one call; 600 if not given.
    memory : float, optional
        GiB that the process of an isolated target may hold; without limit if not given.
    python : str, optional
        The interpreter of another environment, such as ``"/other/venv/bin/python"``: the target, named by a string,
        is imported and run there, and judged from here. It has to have numpy, and needs nothing of Exactstep.
    baseline : str or Path, optional
        A file of known deviations, see `conformance.baseline`: they are expected, and one that is gone is an unexpected
        pass. It may have entries about other targets, or about other formulas.
    replay : bool
        Whether the counterexamples that the baseline pins are all that is judged.
    progress : callable, optional
        Called with each record, the number of checks that are over, and the number of all.

    Returns
    -------
    Report
        The same for the same arguments.

    Raises
    ------
    UsageError
        Naming the argument, what it may be and what it was; as `LoadError` if a name cannot be imported.
    """
    require_pinned(baseline, replay=replay)
    if dtypes is None:
        dtypes = ("float64", "float32") if precision is None else (precision.storage.name,)
    require_settings(profile=profile, seed=seed, dtypes=dtypes, device=device)
    if precision is not None and set(dtypes) != {precision.storage.name}:
        raise UsageError(f"dtypes must be {precision.storage.name!r}, as precision stores, got dtypes={dtypes!r}")
    interpreter = interpreter_of(python, isolate, target=target)
    recipe = partial(
        _plan_of_check,
        target,
        formula,
        arrays=arrays,
        hyperparameters=hyperparameters,
        dtypes=tuple(dtypes),
        device=device,
        profile=profile,
        seed=seed,
        precision=precision,
        interpreter=interpreter,
        baseline=baseline,
        replay=replay,
    )
    plan = recipe()
    if interpreter:
        recipe = partial(replace, plan)  # where it was loaded is not this process
    (implementation,) = plan.implementations
    reproduce = partial(
        check_line,
        target,
        ":".join(filter(None, (implementation.formula, implementation.evaluation))),
        device=device,
        profile=profile,
        seed=seed,
        hyperparameters=hyperparameters or {},
        arrays=arrays,
        precision=precision,
        python=python,
        baseline=baseline,
    )
    return _judged(
        plan,
        judging(plan, recipe, limits_of(isolate, timeout, memory, default=isinstance(target, str))),
        _blank(implementation.label, plan, {"matching": implementation.matching}),
        lambda record: reproduce(dtype=record.dtype),
        progress=progress,
    )


def _plan_of_check(
    target: Any,
    formula: str,
    *,
    arrays: Literal["torch", "jax", "numpy"] | None,
    hyperparameters: Mapping[str, float] | None,
    dtypes: tuple[str, ...],
    device: str,
    profile: str,
    seed: int,
    precision: Precision | None,
    interpreter: Interpreter | None,
    baseline: str | Path | None,
    replay: bool,
) -> Plan:
    try:
        id, evaluation = _claimed(formula)
        signature = targets.signature(id, arrays=arrays, hyperparameters=hyperparameters)
    except (UnknownFormulaError, DomainError) as error:
        raise UsageError(str(error)) from error
    implementation = (
        implementation_in(interpreter, target, signature) if interpreter else targets.adapted(target, signature)
    )
    claiming = (replace(implementation, evaluation=evaluation),)
    judged, known = (claiming, "") if baseline is None else expecting(baseline, claiming, device, others=True)
    return Plan(judged, dtypes, device, profile, seed, precision=precision, replay=replay, baseline=known)


def assert_conforms(target: Any, formula: str, **settings: Any) -> None:
    """Fail a test unless a target conforms.

    Parameters
    ----------
    target, formula
        As `check` takes them; known deviations are those that an `Implementation` lists as ``expected``.
    **settings
        The others of `check`, among them ``baseline``, a file of known deviations.

    Raises
    ------
    AssertionError
        With the report's summary: what deviates and by how much, or that nothing was shown.
    UsageError
        As `check`.

    Examples
    --------
    >>> assert_conforms(lambda grad, clip_value: grad.clip(-clip_value, clip_value), "clip_by_value")
    """
    __tracebackhide__ = True  # pytest shows the test's line and the summary
    report = check(target, formula, **settings)
    if not report.conforms:
        raise AssertionError(report.summary())


def run(
    backend: str | Backend,
    *,
    select: str | None = None,
    dtypes: Sequence[str] | None = None,
    device: str = "cpu",
    profile: str = "quick",
    seed: int = 0,
    jobs: int = 1,
    output: str | Path | None = None,
    resume: bool = False,
    isolate: bool | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    python: str | None = None,
    baseline: str | Path | None = None,
    replay: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Judge the implementations of a framework.

    Parameters
    ----------
    backend : str or Backend
        A name such as ``"torch"``, a ``"module:object"`` that is a Backend or returns one, or a Backend.
    select : str, optional
        Only checks whose id matches: parts of ids with ``and``, ``or``, ``not`` and parentheses.
    dtypes : sequence of str, optional
        All that an implementation declares if not given.
    device, profile, seed
        As `check` takes them.
    jobs : int
        Processes that share the work, at least 1; several are always isolated.
    output : str or Path, optional
        A folder for ``report.jsonl`` and ``report.html``, or a file with one of these endings. JSON lines are
        written as checks end, and put in order when all have.
    resume : bool
        Whether to go on with the ``report.jsonl`` of the output, if there is one: its checks are not run again.
    isolate, timeout, memory, python, replay
        As `check` takes them.
    baseline : str or Path, optional
        A file of known deviations of this backend: they are expected, and one that is gone is an unexpected pass.
    progress : callable, optional
        Called with each record, the number of checks that are over, and the number of all.

    Returns
    -------
    Report
        The same for the same arguments, whatever ``jobs``.

    Raises
    ------
    UsageError
        Naming the argument, what it may be and what it was; as `LoadError` if the backend cannot be loaded.
    """
    require_jobs(jobs)
    require_pinned(baseline, replay=replay)
    interpreter = interpreter_of(python, isolate, backend=backend)
    made = partial(
        plan_of,
        backend,
        select=select,
        dtypes=dtypes,
        device=device,
        profile=profile,
        seed=seed,
        interpreter=interpreter,
        baseline=baseline,
        replay=replay,
    )
    loaded, plan = made()
    if not plan.units() and not replay:
        raise UsageError(f"select must match the id of a check of {loaded.name}, got select={select!r}")
    limits = limits_of(isolate, timeout, memory, default=jobs > 1 or isinstance(backend, str))
    if jobs > 1 and limits is None:
        raise UsageError(f"jobs must be 1 where isolate is False, got jobs={jobs!r}")
    recipe = partial(_second, made) if isinstance(backend, str) and not interpreter else partial(replace, plan)
    reproduce = partial(
        run_line,
        backend if isinstance(backend, str) else loaded.name,
        device=device,
        profile=profile,
        seed=seed,
        python=python,
        baseline=baseline,
    )
    return _judged(
        plan,
        judging(plan, recipe, limits, jobs),
        _blank(f"{loaded.name} {loaded.version}", plan, loaded.environment()),
        lambda record: reproduce(id=record.id, dtype=record.dtype),
        output=output,
        resume=resume,
        progress=progress,
    )


def _second(made: Callable[[], tuple[Backend, Plan]]) -> Plan:
    return made()[1]


def judging(plan: Plan, recipe: Callable[[], Plan], limits: Limits | None, jobs: int = 1) -> Judging:
    """Return how to judge tasks of a plan: in this process without limits, or in others that make the same plan."""
    if limits is None:
        return plan.in_turn
    return partial(isolated, recipe, jobs=jobs, limits=limits)


def plan_of(
    backend: str | Backend,
    *,
    select: str | None = None,
    dtypes: Sequence[str] | None = None,
    device: str = "cpu",
    profile: str = "quick",
    seed: int = 0,
    interpreter: Interpreter | None = None,
    baseline: str | Path | None = None,
    replay: bool = False,
) -> tuple[Backend, Plan]:
    """Return a backend and what `run` would judge of it, with the arguments and errors of `run`."""
    require_settings(profile=profile, seed=seed, dtypes=tuple(FORMATS) if dtypes is None else dtypes, device=device)
    loaded = loaded_backend(backend, interpreter)
    entries = loaded.implementations
    if dtypes is None:
        dtypes = [name for name in FORMATS if any(name in entry.dtypes for entry in entries)]
    judged, known = (entries, "") if baseline is None else expecting(baseline, entries, device)
    return loaded, Plan(judged, tuple(dtypes), device, profile, seed, select=select, replay=replay, baseline=known)


def _claimed(formula: str) -> tuple[str, str]:
    """Return the ids of a formula and of an evaluation, which is empty where none is claimed.

    Raises
    ------
    UnknownFormulaError
        If there is no such formula, or it has no such evaluation.
    """
    id, _, evaluation = formula.partition(":")
    rule = catalogue.get(id if evaluation else formula)
    rule.accepted(evaluation)
    return rule.id, evaluation


def _judged(
    plan: Plan,
    judge: Judging,
    blank: Report,
    reproduce: Callable[[CheckRecord], str],
    *,
    output: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Run a plan, or what is left of it, and write, show and return what comes of it."""
    files = {} if output is None else {file.suffix: file for file in output_files(output)}
    lines = files.get(".jsonl")
    if resume and lines is None:
        raise UsageError(f"resume needs an output with JSON lines, a folder or a .jsonl file, got output={output!r}")
    order = {record.id: place for place, record in enumerate(chain(*(unit.blanks() for unit in plan.units())))}
    checks = list(begun(lines, blank, order)) if lines and resume else []
    tasks = plan.tasks({record.id for record in checks})
    total = len(checks) + sum(len(task.places) for task in tasks)
    with ExitStack() as stack:
        writer = stack.enter_context(Writer(lines, replace(blank, checks=tuple(checks)))) if lines else None
        for bare in stack.enter_context(closing(judge(tasks))):
            record = replace(bare, reproduce=reproduce(bare))
            checks.append(record)
            if writer:
                writer.add(record)
            if progress:
                progress(record, len(checks), total)
        statuses = {record.id: record.status for record in checks}
        ordered = sorted(checks, key=lambda record: order[record.id])
        report = replace(blank, checks=tuple(settled(record, statuses.get) for record in ordered))
        if writer:
            writer.finish(report)
    if ".html" in files:
        report.write(files[".html"])
    return report


def _blank(target: str, plan: Plan, facts: Mapping[str, str]) -> Report:
    host = plan.implementations[0].host if plan.implementations else None
    known = {"baseline": plan.baseline} if plan.baseline else {}
    return Report(target, plan.seed, plan.profile, environment(host) | dict(facts) | known, plan.not_judged())
