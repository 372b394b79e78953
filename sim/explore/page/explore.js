// The explorer: decides what happens next in a live world. The address of the page is the tape, so a reload, a link and
// the browser's own way back all lead where they should.

const PLAIN = 10, FAR = 99999, WAY_MOST = 400;

class Explorer {
  constructor() {
    this.viewer = new Viewer(document.body);
    this.part = this.viewer.part;
    this.pins = null;
    this.now = null;
    this.wire();
    this.read();
  }

  wire() {
    const on = (name, act) => this.part(name).addEventListener("click", act);
    on("undo", () => this.undo());
    on("plain", () => this.go(this.now.answers.length + PLAIN));
    on("end", () => this.go(FAR));
    on("toward", () => this.toward());
    on("pin", () => this.pin());
    on("copy-test", () => navigator.clipboard?.writeText(this.now.test));
    this.part("options").addEventListener("click", (event) => {
      const option = event.target.closest("button");
      if (option) this.decide(Number(option.dataset.answer));
    });
    window.addEventListener("hashchange", () => this.read());
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    if (!this.now || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
    const act = {Backspace: () => this.undo(), p: () => this.go(this.now.answers.length + PLAIN), e: () => this.go(FAR), x: () => this.toward()}[event.key];
    if (act) act();
    else if (/^[1-9]$/.test(event.key) && this.now.options[event.key - 1]) this.decide(event.key - 1);
    else return;
    event.preventDefault();
  }

  // The tape of these answers, as the address of a page.
  address(answers) {
    const head = this.now.tape.split(":").slice(0, 5).join(":");
    return `#tape=${head}:${answers.join(".")}&at=${answers.length}`;
  }

  decide(answer) { this.visit([...this.now.answers, answer]); }
  undo() { if (this.now?.answers.length) this.visit(this.now.answers.slice(0, -1)); }
  visit(answers) { location.hash = this.address(answers); }

  // The plain course until there were so many decisions, or the run is over.
  async go(count) {
    const there = await this.ask(this.now.tape, count);
    if (there) this.visit(there.answers);
  }

  // Step by step to the nearest violation.
  async toward() {
    let at = this.now;
    for (let i = 0; i < WAY_MOST && at && !at.over && !at.recording.violations.length; i++) {
      const ways = at.options.map((option, answer) => [option.known?.soonest ?? Infinity, answer]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      if (!ways.length || ways[0][0] === Infinity) break;
      at = await this.ask(this.address([...at.answers, ways[0][1]]).slice("#tape=".length).split("&")[0], at.answers.length + 1);
    }
    if (at && at !== this.now) this.visit(at.answers);
  }

  async ask(tape, count) {
    const query = new URLSearchParams(count === null ? {tape} : {tape, at: count});
    try {
      const answer = await fetch(`look?${query}`), value = await answer.json();
      this.part("error").textContent = answer.ok ? "" : value.error;
      return answer.ok ? value : null;
    } catch {
      this.part("error").textContent = "The explorer does not answer: was it ended?";
      return null;
    }
  }

  // Where the address says.
  async read() {
    const found = /^#tape=([^&]*)(?:&at=(\d+))?/.exec(location.hash);
    const asked = location.hash;
    const there = await this.ask(found ? decodeURIComponent(found[1]) : "", found?.[2] ?? null);
    if (!there || location.hash !== asked) return;
    this.now = there;
    this.show();
    if (!there.known.states && there.known.unknown.includes("still at work")) setTimeout(() => location.hash === asked && this.read(), 500);
  }

  show() {
    const {now, part} = this, recording = new Recording(now.recording);
    this.viewer.open(recording, recording.length - 1);
    part("question").textContent = now.over ? "The run is over"
      : now.within ? `${now.within}. And the ${now.label}?` : `What happens next? ${counted(now.at, "decision")} so far`;
    part("options").replaceChildren(...now.options.map((option, answer) => this.option(option, answer)),
      now.over ? html("li", {class: "over"}, "Nothing can happen any more. Take something back, or go to a pinned position.") : "");
    for (const name of ["plain", "end"]) part(name).disabled = now.over;
    part("undo").disabled = !now.answers.length;
    part("toward").disabled = now.over || !now.options.some((option) => option.known?.soonest != null) || recording.violations.length > 0;
    const {visited, states, unknown} = now.known;
    part("known").textContent = states ? `${visited.toLocaleString("en")} of ${counted(states, "state")} visited. ${unknown}`
      : `What lies ahead is not known: ${unknown}.`;
    part("test").textContent = now.test;
    this.showPins();
    document.body.dataset.at = now.at;
  }

  option(option, answer) {
    const told = this.told(option.known);
    return html("li", {}, html("button", {type: "button", "data-answer": answer, class: option.fault ? "fault" : ""},
      html("kbd", {}, answer < 9 ? String(answer + 1) : ""), html("span", {class: "time"}, duration(option.at_ms)),
      html("span", {class: "what"}, option.text), html("span", {class: `told ${told[0]}`}, told[1])));
  }

  // What the checker knows, in a few words.
  told(known) {
    if (!known) return ["", ""];
    const seen = known.seen ? " · seen" : "";
    if (known.breaks.length) return ["breaks", `breaks ${known.breaks.join(", ")}${seen}`];
    if (known.soonest === null) return ["safe", `nothing can break any more${seen}`];
    const how = known.doomed ? "every way breaks; soonest" : "may break";
    return [known.doomed ? "doomed" : "", `${how} ${known.nearest} in ${counted(known.soonest, "step")}${seen}`];
  }

  pin() {
    const address = this.address(this.now.answers), last = this.now.recording;
    const name = `${counted(this.now.at, "decision")}, ${duration(last.at[last.at.length - 1] ?? 0)}: ${last.text[last.text.length - 1] ?? ""}`;
    if (!this.pins.some((pin) => pin.address === address)) this.pins.push({address, name});
    try {
      sessionStorage.setItem(this.place(), JSON.stringify(this.pins));
    } catch { /* a browser that keeps nothing: they stay until the page is left */ }
    this.showPins();
  }

  // Under which name pins are kept: those of one world, in one tab.
  place() { return this.now.tape.split(":").slice(0, 5).join(":"); }

  kept() {
    try {
      return JSON.parse(sessionStorage.getItem(this.place())) ?? [];
    } catch {
      return [];
    }
  }

  showPins() {
    this.pins ??= this.kept();
    this.part("pins").replaceChildren(...this.pins.map((pin) => html("li", {}, html("a", {href: pin.address}, pin.name))));
  }
}

window.explorer = new Explorer();
