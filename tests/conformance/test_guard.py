import os
import random
import signal
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conformance.guard import guard


def everything():
    """What a check must leave as it found it."""
    return {
        "random": random.getstate(),
        "numpy": repr(np.random.get_state()),  # noqa: NPY002 - the state that subjects use
        "numpy errors": np.geterr(),
        "torch": torch.get_rng_state().tolist(),
        "dtype": torch.get_default_dtype(),
        "device": str(torch.get_default_device()),
        "grad": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "matmul": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark),
        "subnormals": float(np.float64(5e-324) * 1.0),
        "filters": list(warnings.filters),
        "cwd": os.getcwd(),  # noqa: PTH109 - what subjects change
        "path": list(sys.path),
        "path itself": id(sys.path),
        "environment": dict(os.environ),
        "stdout": id(sys.stdout),
        "thread count": threading.active_count(),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
    }


def disturb(folder):
    """Change all of it, as a careless subject does."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - likewise
    np.seterr(all="raise")
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.set_float32_matmul_precision("medium")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.deterministic = not torch.backends.cudnn.deterministic
    torch.backends.cudnn.benchmark = not torch.backends.cudnn.benchmark
    torch.set_flush_denormal(True)
    warnings.simplefilter("error")
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.path = ["elsewhere"]
    os.environ["EXACTSTEP_TEST"] = "changed"
    os.environ.pop("PATH")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: None)


def test_everything_is_left_as_it_was_found(tmp_path):
    before = everything()

    with guard(0):
        disturb(tmp_path)

    assert everything() == before


def test_everything_is_left_as_it_was_found_after_an_error(tmp_path):
    before = everything()

    with pytest.raises(ZeroDivisionError), guard(0):
        disturb(tmp_path)
        raise ZeroDivisionError

    assert everything() == before


def test_a_working_directory_that_is_gone_is_left(tmp_path):
    before = os.getcwd()  # noqa: PTH109 - what subjects change
    folder = tmp_path / "gone"
    folder.mkdir()

    with guard(0):
        os.chdir(folder)
        folder.rmdir()

    assert os.getcwd() == before  # noqa: PTH109 - likewise


def test_a_default_device_of_the_users_stays():
    torch.set_default_device("meta")
    try:
        with guard(0):
            torch.set_default_device("cpu")

        assert str(torch.get_default_device()) == "meta"
    finally:
        torch.set_default_device(None)


def drawn():
    return random.random(), np.random.normal(), torch.rand(1).item()  # noqa: NPY002 - the state that subjects use


def test_random_numbers_depend_on_the_seed_alone():
    with guard(5):
        first = drawn()
    drawn()
    with guard(5):
        again = drawn()
    with guard(6):
        other = drawn()

    assert first == again
    assert not set(first) & set(other)


def test_prints_are_caught(capsys):
    with guard(0) as printed:
        print("hello")

    assert printed.getvalue() == "hello\n"
    assert capsys.readouterr().out == ""


def test_prints_are_known_after_the_output_was_closed(capsys):
    with guard(0) as printed:
        print("good bye")
        sys.stdout.close()

    assert printed.getvalue() == "good bye\n"


def test_in_another_thread_signal_handlers_are_left_to_the_first():
    errors = []

    def check():
        try:
            with guard(0):
                random.random()
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=check)
    thread.start()
    thread.join()

    assert errors == []


def test_warnings_raise_nothing_even_as_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        with guard(0):
            warnings.warn("careful", UserWarning, stacklevel=1)

        with pytest.raises(UserWarning, match="again"):
            warnings.warn("again", UserWarning, stacklevel=1)


def test_flags_of_jax_and_keras_are_left_as_they_were_found(monkeypatch):
    flags = {"jax_enable_x64": False, "floatx": "float32"}
    jax = SimpleNamespace(config=SimpleNamespace(jax_enable_x64=False))
    jax.config.update = lambda name, value: setattr(jax.config, name, value)
    keras = SimpleNamespace(
        config=SimpleNamespace(floatx=lambda: flags["floatx"], set_floatx=lambda name: flags.update(floatx=name))
    )
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setitem(sys.modules, "keras", keras)

    with guard(0):
        jax.config.update("jax_enable_x64", True)
        keras.config.set_floatx("float64")

    assert jax.config.jax_enable_x64 is False
    assert flags["floatx"] == "float32"
