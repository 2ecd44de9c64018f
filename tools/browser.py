"""Notebooks in JupyterLab, in a real browser: `make browser`.

    python -m tools.browser [01 06 …]

Opens each in a fresh JupyterLab under headless Chromium, runs all cells, and looks: no error, every
cell has run, charts and drawings are drawn, on a light and on a dark page. Says so and stops where
Chromium or its driver is missing.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tgpipeline.notebook import runner

THEMES = ("JupyterLab Light", "JupyterLab Dark")
PATIENCE = 600  # seconds that a notebook may take
_STATE = """
const panel = window.jupyterapp.shell.currentWidget;
const cells = panel.content.widgets.map(w => w.model.toJSON());
const code = cells.filter(c => c.cell_type === 'code');
return {
  busy: panel.sessionContext.kernelDisplayStatus,
  code: code.length,
  ran: code.filter(c => c.execution_count !== null).length,
  pictures: code.flatMap(c => c.outputs).filter(o => (o.data || {})['image/png']).length,
  errors: code.flatMap(c => c.outputs).filter(o => o.output_type === 'error')
              .map(o => o.ename + ': ' + o.evalue),
};
"""
_BROKEN = """
return [...document.querySelectorAll('.jp-Notebook img')]
    .filter(i => i.src.startsWith('data:') && (!i.complete || i.naturalWidth === 0)).length;
"""


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """A JupyterLab on 127.0.0.1 that shows a folder; gives its address with the token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = os.urandom(16).hex()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    command += [f"--port={port}", "--ip=127.0.0.1", f"--IdentityProvider.token={token}"]
    command += ["--allow-root", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/api?token={token}")
        yield f"http://127.0.0.1:{port}/lab/tree/{{name}}?reset&token={token}"
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def run(driver: Any, url: str) -> list[str]:
    """Run a notebook in the browser, and say what is wrong with it."""
    driver.get(url)
    _until(driver, "return !!(window.jupyterapp?.shell?.currentWidget?.sessionContext?.isReady)")
    driver.execute_async_script(
        "const done = arguments[0];"
        "window.jupyterapp.commands.execute('notebook:run-all-cells').then(done, done);"
    )
    until = time.monotonic() + PATIENCE
    while True:
        state = driver.execute_script(_STATE)
        if state["errors"] or state["ran"] == state["code"] or time.monotonic() > until:
            break
        time.sleep(1)
    wrong = list(state["errors"])
    if state["ran"] != state["code"]:
        wrong.append(f"{state['ran']} of {state['code']} code cells ran")
    for theme in THEMES:
        driver.execute_async_script(
            "const done = arguments[1]; window.jupyterapp.commands"
            ".execute('apputils:change-theme', {theme: arguments[0]}).then(done, done);",
            theme,
        )
        if broken := driver.execute_script(_BROKEN):
            wrong.append(f"{theme}: {broken} pictures are not drawn")
    print(f"  {state['ran']} cells, {state['pictures']} charts", flush=True)
    return wrong


def _until(driver: Any, condition: str) -> None:
    until = time.monotonic() + 90
    while not driver.execute_script(condition):
        if time.monotonic() > until:
            raise TimeoutError("JupyterLab did not open the notebook within 90 s")
        time.sleep(0.5)


def main(numbers: list[str]) -> int:
    """Run some notebooks; 1 where something is wrong with one."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        print("no Chromium with its driver here (Debian: chromium, chromium-driver): stopped")
        return 2
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = chromium
    for word in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-quic"):
        options.add_argument(f"--{word}")
    options.add_argument("--disable-background-networking")
    failed = False
    with tempfile.TemporaryDirectory(prefix="tgpipeline-browser-") as folder:
        for source in runner.find():
            if source.name[:2] in (numbers or ("01", "06")):
                shutil.copy(source, folder)
        with lab(Path(folder)) as url, Chrome(options, ChromeService(chromedriver)) as driver:
            driver.set_script_timeout(PATIENCE)
            for notebook in sorted(Path(folder).glob("*.ipynb")):
                print(notebook.name, flush=True)
                wrong = run(driver, url.format(name=notebook.name))
                print("\n".join(f"  {line}" for line in wrong) or "  nothing is wrong")
                failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
