"""The tree of errors, and how the hub's and the disk's failures become one of them."""

import errno
import re

import pytest

from gateway.download import errors
from gateway.download.errors import CacheUnwritable, DownloadError, NetworkUnreachable, SpaceMissing, Stopped
from gateway.download.hub import Hub, TransferBroken

LEAVES = DownloadError.__subclasses__()


def test_every_cause_has_its_own_code_and_exit_status() -> None:
    """No two causes can be taken for each other, and none looks like a shell's or a signal's status."""
    statuses = {leaf.exit_status for leaf in LEAVES if leaf is not Stopped}
    assert len(LEAVES) == len({leaf.code for leaf in LEAVES}) == len(statuses) + 1
    assert [status for status in statuses if not 0 < status < 126] == []


def test_the_drawing_is_the_tree() -> None:
    """The module's docstring lists every leaf with its exit status."""
    drawn = dict(re.findall(r"── (\w+) +exit +(\d+)", errors.__doc__ or ""))
    expected = {leaf.__name__: str(leaf.exit_status) for leaf in LEAVES if leaf is not Stopped}
    assert drawn == expected | {"Stopped": "143"}


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, SpaceMissing), (errno.EDQUOT, SpaceMissing), (errno.EACCES, CacheUnwritable),
     (errno.EROFS, CacheUnwritable), (errno.EIO, CacheUnwritable)],
)
def test_a_disk_that_fails_in_the_middle_is_named(number: int, kind: type[DownloadError]) -> None:
    """A full disk and a read-only one ask for different deeds."""
    hub = Hub(None)
    with pytest.raises(kind), hub._plain_words("fox/fable", "main"):
        raise OSError(number, "words of the system")


def test_a_file_that_came_short_is_worth_another_try() -> None:
    """The client reports a short file as an OSError without a number."""
    hub = Hub(None)
    with pytest.raises(TransferBroken) as caught, hub._plain_words("fox/fable", "main"):
        raise OSError("Consistency check failed: file should be of size 10 but has size 9")
    assert isinstance(caught.value.final, NetworkUnreachable)


def test_no_sentence_of_the_client_reaches_people() -> None:
    """Every error class of the client is translated into one of ours."""
    import requests
    from huggingface_hub import errors as foreign

    response = requests.Response()
    response.status_code = 418
    classes = [one for one in vars(foreign).values() if isinstance(one, type)]
    http = [one for one in classes if issubclass(one, foreign.HfHubHTTPError)]
    hub = Hub("hf_token")
    untranslated = []
    for one in http:
        error = one.__new__(one, "words of the client")
        error.response = response
        try:
            with hub._plain_words("fox/fable", "main"):
                raise error
        except (DownloadError, TransferBroken) as ours:
            if "words of the client" in str(ours):
                untranslated.append(one)
    assert untranslated == []
    assert len(http) >= 6
