"""In which order a pipeline's stages work on micro-batches: all forward first, or one forward, one backward."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Action", "Slot", "kept_activations", "pipeline_actions", "pipeline_timeline"]


class Action(NamedTuple):
    """One pass of one micro-batch through a stage: "forward" or "backward", and the micro-batch's number from 0."""

    kind: str
    microbatch: int


class Slot(NamedTuple):
    """An action with its stage and its time, in units of a forward pass through a stage."""

    stage: int
    action: Action
    start: float
    end: float


def pipeline_actions(schedule: str, n_stages: int, n_microbatches: int) -> list[list[Action]]:
    r"""Return what each stage does, in order.

    "gpipe" (Huang et al. 2018, arXiv:1811.06965) sends all micro-batches forward, then all backward. "1f1b" (Harlap
    et al. 2018, PipeDream, arXiv:1806.03377; flushed at each step as in Narayanan et al. 2021, arXiv:2104.04473,
    section 2.2.1) begins a micro-batch's backward pass once it is through: the same bubble, fewer activations kept.

    Args:
        schedule: "gpipe" or "1f1b".
        n_stages: p.
        n_microbatches: m.

    Returns:
        One list for each stage, with each micro-batch forward once and backward once.

    Raises:
        ValueError: There is no such schedule, or a number is less than 1; quotes it.

    Example:
        >>> [f"{kind[0]}{i}" for kind, i in pipeline_actions("1f1b", 2, 3)[0]]
        ['f0', 'f1', 'b0', 'f2', 'b1', 'b2']
    """
    if schedule not in ("gpipe", "1f1b"):
        raise ValueError(f"schedule is {schedule!r}: choose 'gpipe' or '1f1b'")
    if min(n_stages, n_microbatches) < 1:
        raise ValueError(f"n_stages is {n_stages} and n_microbatches {n_microbatches}: both are at least 1")
    order = []
    for stage in range(n_stages):
        # How many go forward before the first comes back: those that the stages behind have room for.
        ahead = n_microbatches if schedule == "gpipe" else min(n_stages - stage, n_microbatches)
        actions = [Action("forward", i) for i in range(ahead)]
        for i in range(n_microbatches):
            actions.append(Action("backward", i))
            if ahead + i < n_microbatches:
                actions.append(Action("forward", ahead + i))
        order.append(actions)
    return order


def pipeline_timeline(actions: Sequence[Sequence[Action]], *, backward_time: float = 2.0) -> list[Slot]:
    r"""Return when each action runs, if each starts as soon as its stage is free and its input is there.

    A forward pass needs the stage before to have done the same micro-batch; a backward pass the stage behind. Sending
    takes no time here.

    Args:
        actions: What each stage does, in order.
        backward_time: How long a backward pass takes, in forward passes: twice as long, for twice the FLOP.

    Returns:
        A slot for each action, in the order of their starts.

    Raises:
        ValueError: The stages wait for one another for ever.

    Example:
        >>> slots = pipeline_timeline(pipeline_actions("gpipe", 2, 1))
        >>> [(slot.stage, slot.action.kind, slot.start, slot.end) for slot in slots]  # doctest: +NORMALIZE_WHITESPACE
        [(0, 'forward', 0.0, 1.0), (1, 'forward', 1.0, 2.0), (1, 'backward', 2.0, 4.0), (0, 'backward', 4.0, 6.0)]
    """
    done: dict[tuple[int, Action], float] = {}
    waiting = [list(stage) for stage in actions]
    free, slots = [0.0] * len(waiting), []
    while any(waiting):
        ready = [
            stage for stage, left in enumerate(waiting) if left and _inputs(stage, left[0], len(free)) <= done.keys()
        ]
        if not ready:
            first = [left[0] for left in waiting if left]
            raise ValueError(f"no stage can go on: they wait with {first}; an action comes before what it needs")
        for stage in ready:
            action = waiting[stage].pop(0)
            start = max([free[stage], *(done[need] for need in _inputs(stage, action, len(free)))])
            free[stage] = done[stage, action] = start + (1.0 if action.kind == "forward" else backward_time)
            slots.append(Slot(stage, action, start, free[stage]))
    return sorted(slots, key=lambda slot: (slot.start, slot.stage))


def _inputs(stage: int, action: Action, n_stages: int) -> set[tuple[int, Action]]:
    """Return what has to be done before an action."""
    if action.kind == "forward":
        return {(stage - 1, action)} if stage else set()
    if stage < n_stages - 1:
        return {(stage + 1, action)}
    return {(stage, Action("forward", action.microbatch))}


def kept_activations(actions: Sequence[Action]) -> int:
    r"""Return the most micro-batches whose activations a stage keeps at one time.

    Args:
        actions: What it does, in order.

    Returns:
        A number of micro-batches: all m under GPipe, at most p - s on stage s (from 0) under 1F1B.

    Example:
        >>> [kept_activations(stage) for stage in pipeline_actions("1f1b", 4, 8)]
        [4, 3, 2, 1]
    """
    kept = most = 0
    for kind, _ in actions:
        kept += 1 if kind == "forward" else -1
        most = max(most, kept)
    return most
