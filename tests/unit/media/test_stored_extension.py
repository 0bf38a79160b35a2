import pytest

from bulk_export.media.stored_extension import stored_extension


@pytest.mark.parametrize(
    ("container", "uri", "extension"),
    [
        ("wav", "media/1.wav", "wav"),
        ("wav", "media/1.mp3", "wav"),
        ("ogg", "media/1.OPUS", "opus"),
        ("mp4", "media/1.m4a", "m4a"),
        ("asf", "media/1", "wmv"),
        ("", "media/1.ts", "ts"),
        ("", "media/1.sh", "bin"),
        ("", "media.mp3/1", "bin"),
        ("", "media/1.ogg/../../x", "bin"),
    ],
)
def test_a_stored_file_keeps_an_extension_that_fits_its_bytes_and_no_other_text(container, uri, extension):
    assert stored_extension(container, uri) == extension
