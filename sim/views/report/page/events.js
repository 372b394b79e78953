// The list of all events. Only the lines in sight are in the page, whatever the length of the run.

const LINE = 26, SPARE = 12;

class Events {
  constructor(root, recording, select) {
    this.recording = recording;
    this.select = select;
    this.step = 0;
    this.found = new Set();
    this.lines = html("div", {class: "lines"});
    this.lines.style.height = `${recording.length * LINE}px`;
    this.box = html("div", {class: "events", role: "listbox", tabindex: 0, "aria-label": "Events", scroll: () => this.scrolled()}, this.lines);
    root.replaceChildren(this.box);
    this.lines.addEventListener("click", (event) => {
      const line = event.target.closest("[data-step]");
      if (line) this.select(Number(line.dataset.step));
    });
    this.top = 0;
    this.high = this.box.clientHeight; // remembered: to ask for it makes the browser lay out the page
    new ResizeObserver(() => { this.high = this.box.clientHeight; this.draw(); }).observe(this.box);
  }

  show(step, found) {
    this.step = step;
    this.found = found ?? this.found;
    const at = step * LINE;
    if (at < this.top || at + LINE > this.top + this.high) {
      this.top = Math.max(Math.min(at - this.high / 2, this.recording.length * LINE - this.high), 0);
      this.box.scrollTop = this.top;
    }
    this.draw();
  }

  scrolled() {
    if (Math.abs(this.box.scrollTop - this.top) < 1) return;
    this.top = this.box.scrollTop;
    this.draw();
  }

  draw() {
    const from = Math.max(Math.floor(this.top / LINE) - SPARE, 0);
    const to = Math.min(Math.ceil((this.top + this.high) / LINE) + SPARE, this.recording.length);
    if (this.from === from && this.to === to && this.drawnFound === this.found) {
      this.lines.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
      this.lines.children[this.step - from]?.setAttribute("aria-selected", "true");
    } else {
      [this.from, this.to, this.drawnFound] = [from, to, this.found];
      const lines = [];
      for (let step = from; step < to; step++) lines.push(this.line(step));
      this.lines.replaceChildren(...lines);
    }
    this.box.setAttribute("aria-activedescendant", `event-${this.step}`);
  }

  line(step) {
    const {recording} = this, who = recording.who[step], kind = recording.kindOf(step);
    const broken = recording.brokenAt.get(step) ?? [];
    const look = [DULL.has(kind) ? "dull" : "", broken.length ? "broken" : "", this.found.has(step) ? "found" : ""];
    const line = html("div", {
      role: "option", id: `event-${step}`, "data-step": step, class: look.join(" "), "aria-selected": String(step === this.step),
      "aria-posinset": step + 1, "aria-setsize": recording.length,
    },
    html("span", {class: "number"}, String(step)), html("span", {class: "time"}, duration(recording.at[step])),
    html("span", {class: `who p${who % 8}`}, recording.name(step) || (recording.call[step] ? "the setup" : "·")),
    html("span", {class: "what", title: recording.text[step]}, recording.text[step]),
    broken.length ? html("span", {class: "bad"}, `breaks ${broken.map((violation) => violation.property).join(", ")}`) : null);
    line.style.top = `${step * LINE}px`;
    return line;
  }
}
