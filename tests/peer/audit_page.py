#!/usr/bin/env python3
"""Pages of `morphist audit --html` in headless Chromium, as somebody without a network sees them.

For each file: the page loads; nothing but the page itself is asked for; the console stays empty; every SVG has a size, lies
within the page and shows marks; at a width of 1200 nothing is wider than the window; marks are unique and links lead
somewhere; Tab reaches the links. `--shots FOLDER` writes a picture of each page. Without Chromium the check is skipped,
or with CI set fails.
"""

import argparse
import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WIDTH = 1200
PUBLISHED = [
    "corpus/pyhf/SUSY-2018-05_2Ljets/full_ewk_high_bkg.json",
    "corpus/pyhf/SUSY-2018-10_1Ljets/full_bkg.json",
    "corpus/pyhf/SUSY-2018-31_sbottom/full_b_bkg.json",
]
# Converted to HS3 first.
AS_HS3 = ["corpus/pyhf/SUSY-2018-31_sbottom/full_a_bkg.json"]
HOSTILE = "<script>alert('x')</script>\"&\u202e\n<img src=http://x.invalid/y onerror=alert(1)>"

LOOK = """
(() => {
  const svgs = [...document.querySelectorAll('svg')].filter(s => !s.closest('details:not([open])')).map(s => {
    const r = s.getBoundingClientRect(), marks = s.querySelectorAll('path, rect, use, circle').length;
    return [r.width, r.height, r.left, r.right, marks];
  });
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  const links = [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'));
  const wide = [...document.querySelectorAll('body *')].filter(e => !e.closest('svg') && !e.closest('.skip')
    && e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.tagName + ' ' + e.textContent.slice(0, 60));
  return {svgs, repeated: ids.length - new Set(ids).size, wide: wide.slice(0, 5), scroll: document.documentElement.scrollWidth,
    lost: links.filter(l => !l.startsWith('#') || !document.getElementById(l.slice(1))),
    scripts: document.scripts.length, images: document.images.length,
    height: document.documentElement.scrollHeight, findings: document.querySelectorAll('#findings tbody tr').length};
})()
"""


class Browser:
    """Chromium behind its debugging pipe: JSON messages that end with a zero byte."""

    def __init__(self, program, profile):
        ends = [*os.pipe(), *os.pipe()]
        # Out of the way of 3 and 4, where Chromium looks for them.
        to_read, self.write, self.read, to_write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
        for end in ends:
            os.close(end)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                 "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", f"--window-size={WIDTH},900",
                 "--no-first-run", "--disable-component-update", "--disable-background-networking", "about:blank"]
        command = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self.process = subprocess.Popen(["bash", "-c", command, "chromium", program, *flags], pass_fds=(to_read, to_write),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.rest, self.events = 0, b"", []

    def message(self, deadline):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self.read, 1 << 20) if ready else b""
            if not chunk:
                raise TimeoutError("Chromium does not answer")
            self.rest += chunk
        first, self.rest = self.rest.split(b"\0", 1)
        return json.loads(first)

    def call(self, method, session=None, seconds=120, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.write, json.dumps(request).encode() + b"\0")
        deadline = time.monotonic() + seconds
        while True:
            message = self.message(deadline)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait(self, name, seconds=120):
        deadline = time.monotonic() + seconds
        while not any(event.get("method") == name for event in self.events):
            self.events.append(self.message(deadline))

    def close(self):
        self.process.terminate()
        self.process.wait()


def look(browser, page, shot):
    """What is wrong with a page."""
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    call = lambda method, **parameters: browser.call(method, session, **parameters)
    for domain in ["Page", "Network", "Log", "Runtime"]:
        call(f"{domain}.enable")
    call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=900, deviceScaleFactor=1, mobile=False)
    browser.events.clear()
    address = page.resolve().as_uri()
    call("Page.navigate", url=address)
    browser.wait("Page.loadEventFired")
    evaluate = lambda text: call("Runtime.evaluate", expression=text, returnByValue=True)["result"].get("value")
    seen = evaluate(LOOK)
    evaluate("document.body.focus()")
    stops = set()
    for _ in range(12):
        for kind in ["rawKeyDown", "keyUp"]:
            call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        stops.add(evaluate("document.activeElement.tagName + ' ' + (document.activeElement.getAttribute('href') || '')"))
    time.sleep(0.2)
    evaluate("1")
    wrong = []
    for event in browser.events:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent" and parameters["request"]["url"] != address:
            wrong.append(f"asks for {parameters['request']['url'][:100]}")
        if method in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            wrong.append(f"console: {json.dumps(parameters)[:200]}")
        if method == "Page.javascriptDialogOpening":
            wrong.append("a dialogue opened")
    if not seen["svgs"]:
        wrong.append("no SVG")
    for width, height, left, right, marks in seen["svgs"]:
        if width < 50 or height < 50 or left < 0 or right > WIDTH or marks < 10:
            wrong.append(f"an SVG of {width} by {height} from {left} to {right} with {marks} marks")
    for what in ["repeated", "wide", "lost", "scripts", "images"]:
        if seen[what]:
            wrong.append(f"{what}: {seen[what]}")
    if seen["scroll"] > WIDTH:
        wrong.append(f"{seen['scroll']} pixels wide")
    if sum(stop.startswith("A ") for stop in stops) < 4:
        wrong.append(f"Tab reaches {sorted(stops)} only")
    if shot:
        evaluate("document.activeElement.blur()")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": min(seen["height"], 16000), "scale": 1}
        picture = call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        shot.write_bytes(base64.b64decode(picture))
    browser.call("Target.closeTarget", targetId=target)
    return wrong, seen


def hostile():
    """A likelihood whose names would be markup."""
    document = json.loads((ROOT / "fixtures/higgs_like/workspace.json").read_text())
    document["channels"][0]["samples"][0]["name"] = HOSTILE
    document["channels"][0]["samples"][0]["modifiers"].append(
        {"name": HOSTILE, "type": "normsys", "data": {"hi": 1.2, "lo": 1.1}})
    document["measurements"][0]["name"] = HOSTILE
    return json.dumps(document)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--morphist", default=os.environ.get("MORPHIST", str(ROOT / "target/release/morphist")))
    parser.add_argument("--files", help="these instead, with commas between")
    parser.add_argument("--shots", type=pathlib.Path, help="write a picture of each page to this folder")
    arguments, _ = parser.parse_known_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        print("audit_page: skipped, no chromium")
        return 1 if os.environ.get("CI") else 0
    corpus = pathlib.Path(os.environ.get("MORPHIST_CORPUS", ROOT.parent / "shared"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="audit_page_"))
    (folder / "hostile.json").write_text(hostile())
    files = [ROOT / "fixtures/higgs_like/workspace.json", folder / "hostile.json"]
    files += [corpus / name for name in PUBLISHED if (corpus / name).is_file()]
    for name in AS_HS3 if (corpus / AS_HS3[0]).is_file() else []:
        files.append(folder / f"hs3_{pathlib.Path(name).name}")
        command = [arguments.morphist, "convert", str(corpus / name), "--to", "hs3", "--output-file", str(files[-1])]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    if arguments.files:
        files = [pathlib.Path(name) for name in arguments.files.split(",")]
    browser = Browser(program, folder / "profile")
    missed = 0
    try:
        for number, file in enumerate(files):
            page = folder / f"{number}_{file.stem}.html"
            start = time.monotonic()
            command = [arguments.morphist, "audit", str(file), "--fit", "--html", str(page), "--format", "json"]
            outcome = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            took = time.monotonic() - start
            if outcome.returncode:
                wrong, seen = [f"audit ends with {outcome.returncode}: {outcome.stderr[:200]}"], {}
            else:
                shot = arguments.shots and arguments.shots / f"{file.parent.name}_{file.stem}.png"
                wrong, seen = look(browser, page, shot)
            sizes = f"{len(seen.get('svgs', []))} pictures, {seen.get('findings', 0)} findings" if seen else ""
            print(f"{'missed' if wrong else 'ok':6} {file.parent.name}/{file.name}: {sizes}, made in {took:.1f} s")
            for what in wrong:
                print(f"       {what}")
            missed |= bool(wrong)
    finally:
        browser.close()
        shutil.rmtree(folder, ignore_errors=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
