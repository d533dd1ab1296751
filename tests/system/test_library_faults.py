import errno

import pytest

from alfa_md.errors import UserError
from alfa_md.system.library_faults import refused


@pytest.mark.parametrize("error", [KeyError("kind"), ValueError("two\nlines"), AssertionError()])
def test_a_fault_of_a_library_is_one_line(error):
    with pytest.raises(UserError, match=rf"^it cannot be made \({type(error).__name__}: .*\); take another$"):
        with refused("it cannot be made", "take another"):
            raise error


@pytest.mark.parametrize("error", [UserError("our own; mend it"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_our_own_errors_and_a_lack_of_resources_pass(error):
    with pytest.raises(type(error)) as caught:
        with refused("it cannot be made", "take another"):
            raise error
    assert caught.value is error
