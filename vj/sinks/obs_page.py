"""What `vj obs` hands out: a local page that waits for the show, and what to paste where in OBS."""

from pathlib import Path

from vj.sinks.pages import program_page


def obs_page(port: int) -> str:
    """HTML for a local file that connects to the browser sink on this port, whichever of the two was there first.

    It looks every second, shows a dark standby picture until then, fades to the program, and keeps the last picture
    when the show goes away.
    """
    return program_page().replace('data-server=""', f'data-server="127.0.0.1:{port}"', 1)


def obs_instructions(path: Path, url: str, width: int = 1280, height: int = 720) -> str:
    """What to do in OBS, for the page written to `path` and a browser sink at `url` ("http://127.0.0.1:8090/")."""
    return f"""\
In OBS: Sources, +, Browser

  Local file      ticked
  Local file      {path}
  Width, Height   {width}, {height}
  Shutdown source when not visible    not ticked

The page waits for the show: it does not matter which of the two you start first, and it comes back by itself when
the show is restarted. It fills the source; for all of the picture with margins use the address below.

  Instead of the file, Local file not ticked:
  URL             {url}
  URL             {url}?fit=contain

No Browser in the list (some Linux packages leave it out): Sources, +, Media Source; it runs up to a second behind

  Local file      not ticked
  Input           {url}stream.mjpg
  Input format    mpjpeg
  Network buffering   0 MB

Zoom, Teams, a browser: vj play --sink camera, then choose the virtual camera there. One OBS cannot read the virtual
camera that it offers itself; use Browser in OBS.
"""
