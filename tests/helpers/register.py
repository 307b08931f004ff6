"""What the documents contain, counted by hand, and the rules that the register of their statements must keep.

Each rule returns complaints; none means that it is kept.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from oracle.catalogue import get
from oracle.errors import UnknownFormulaError
from oracle.statements import Register, is_test
from properties.catalogue import claims_for

__all__ = ["COUNTS", "complaints_about_claims", "complaints_about_ids", "complaints_about_tests", "statement_tests"]

ROOT = Path(__file__).parents[2]

# Entry, statements that the documents make of it (C1...), and statements that follow (P1...).
_COUNTED = """
problem_erm 1 3
parametric_composition 0 2
convention_sum_vs_mean 0 5
gd 0 7
gd_example_x_squared 0 3
sgd 2 5
sgd_minibatch_mean 2 5
sgd_bourmaud_sum 0 3
minibatch_noise_decomposition 2 4
batch_gradient_sum 1 2
gradient_accumulation 0 5
epoch_shuffling 0 6
minibatch_size_range 0 0
train_valid_split 0 1
validation_loss 0 1
early_stopping 1 4
overfit_single_minibatch 0 2
lr_grid_search 0 1
lr_range_test 1 3
momentum_ema 2 10
momentum_bourmaud 0 3
adagrad 2 12
adagrad_figure 0 5
rmsprop 3 10
rmsprop_eps_inside 0 6
rmsprop_vs_adagrad_norm 1 3
adam 3 18
adam_bourmaud 0 8
adam_bias_correction 2 7
jensen_second_moment 0 4
adam_lr_interpretation 1 5
optimizer_benchmark_statement 0 0
lion 2 11
l2_regularized_loss 1 4
l2_gd_equals_weight_decay 1 4
l2_momentum_propagation 1 5
weight_decay_bourmaud 1 4
adamw 2 7
adam_l2 0 3
clip_by_value 1 6
clip_by_norm 2 8
clip_geometry_figure 0 2
clip_example_quadratic 1 6
dropout_keep_proportion 1 6
dropout_inference_scaling 1 5
dropout_bourmaud 1 4
schedule_constant 0 1
schedule_decreasing_conditions 0 4
schedule_classic_warmup 1 3
schedule_triangular 1 5
schedule_cosine_restarts 1 7
schedule_cosine_to_10pct 1 2
schedule_linear_decay_warmup 0 3
schedule_transformer 0 6
schedule_reduce_on_plateau 0 4
schedule_momentum_remark 0 0
standardize_feature 2 4
batch_norm 3 9
batch_norm_placement 0 2
layer_norm 1 8
rms_norm 1 7
norm_placement_pre_post 0 3
bn_vs_ln_axes 0 2
dataset_shift_definitions 0 2
relu 1 2
sigmoid 0 3
gelu 2 8
gelu_bernoulli 1 3
silu 2 9
lstm_cell 0 5
glu 1 5
geglu 0 4
swiglu 0 2
glu_generic 1 1
ffn_glu 1 3
ffn_glu_hidden_size 0 3
vit_patches 1 6
imagenet_table 0 4
convnext_training_deltas 0 2
stacked_small_convolutions 0 3
loss_squared_error 0 4
loss_mse 0 3
loss_l1 0 4
loss_bce 0 6
softmax 0 7
probability_simplex 0 2
loss_cross_entropy 0 7
ce_example_4_classes 0 1
ce_extremes 0 3
ce_two_classes_vs_bce 0 4
loss_combined 0 2
chain_rule_elementwise 1 2
chain_rule_jacobian 0 3
backprop_vjp 0 5
mlp_forward_backward 0 4
kaiming_uniform_init 0 5
smooth_loss_assumptions 0 3
descent_inequality 0 2
sgd_expected_inequality 1 2
sgd_hypothesis_1 0 4
uniform_sampling_statement 0 3
bounded_gradient_statement 0 2
expected_descent_eq1 0 4
theorem_fixed_lr 2 8
proof_theorem_fixed_lr 0 2
limit_min_gradient 0 4
theorem_decreasing_lr 2 4
proposition_minibatch_variance 0 4
proof_proposition_minibatch_variance 0 2
theorem_minibatch_fixed_lr 1 5
expected_descent_eq2 0 2
memorisation_statement 0 2
"""
COUNTS = {id: (int(c), int(p)) for id, c, p in map(str.split, _COUNTED.strip().splitlines())}
DISCREPANCIES = 100


def expected_ids() -> list[str]:
    """Ids of all that the documents contain."""
    ids = []
    for entry, (claimed, following) in COUNTS.items():
        ids += [
            entry,
            *(f"{entry}.C{number}" for number in range(1, claimed + 1)),
            *(f"{entry}.P{number}" for number in range(1, following + 1)),
        ]
    return [*ids, *(f"D{number:03}" for number in range(1, DISCREPANCIES + 1))]


def complaints_about_ids(register: Register) -> Iterator[str]:
    """Every line of the documents has its id once; TOML itself refuses a second."""
    ids, expected = {line.id for line in register}, expected_ids()
    yield from (f"{id} is missing" for id in expected if id not in ids)
    yield from (f"{id} is not in the documents" for id in sorted(ids - set(expected)))


def complaints_about_claims(register: Register, faults: Mapping[str, str]) -> Iterator[str]:
    """A claim that covers a line exists for its formula, and catches a seeded fault of it.

    Parameters
    ----------
    register : Register
    faults : mapping of str to str
        The formula of each seeded fault.
    """
    for line in register:
        for cited, name in (cover.split(".") for cover in line.by if not is_test(cover)):
            try:
                formula = get(cited).id
            except UnknownFormulaError as error:
                yield f"{line.id}: {error}"
                continue
            claims = {claim.name: claim for claim in claims_for(formula)}
            if name not in claims:
                yield f"{line.id}: {formula} has no claim {name}; it has {', '.join(claims)}"
            elif not any(faults[fault] == formula for fault in claims[name].catches):
                yield f"{line.id}: {formula}.{name} catches no seeded fault of {formula}"


def complaints_about_tests(register: Register, tests: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """A test that covers a line names it, and every line that a test names lists that test.

    Parameters
    ----------
    register : Register
    tests : mapping of str to tuple of str
        The ids that each statement test names, by ``tests/file.py::test_name``.
    """
    lines = {line.id: line for line in register}
    for line in lines.values():
        for cover in filter(is_test, line.by):
            if cover not in tests:
                yield f"{line.id}: there is no test of statements {cover}"
            elif line.id not in tests[cover]:
                yield f"{line.id}: {cover} does not name it"
    for test, ids in tests.items():
        for id in ids:
            if id not in lines:
                yield f"{test} names {id}, which is unknown"
            elif test not in lines[id].by:
                yield f"{test} names {id}, which does not list it"


def statement_tests() -> dict[str, tuple[str, ...]]:
    """Return the ids that each test of statements names, by ``tests/file.py::test_name``."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "\n@statement(" in path.read_text("utf-8"):
            name = path.relative_to(ROOT).as_posix()
            found.update({f"{name}::{test}": ids for test, ids in named_in(_imported(name)).items()})
    return found


def named_in(module: ModuleType) -> dict[str, tuple[str, ...]]:
    """Return the ids that each test of statements in a module names, by the test's name."""
    return {name: value.statement_ids for name, value in vars(module).items() if hasattr(value, "statement_ids")}


def _imported(name: str) -> ModuleType:
    return importlib.import_module(name.removesuffix(".py").replace("/", "."))
