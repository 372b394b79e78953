// The timeline: a lane for the server and one for each process, below them the lives of entries. Only what is in
// sight is drawn, so its cost does not depend on the length of the run.

const LANE = 40, LIFE = 22, TOP = 26, MARGIN = 24;
const DRAWN_MOST = 500, LIVES_MOST = 14;
const ZOOM = {least: 0.5, most: 80, step: 1.4};
const SYMBOLS = {
  started: "▶", restarted: "↻", crashed: "✖", paused: "‖", resumed: "▷", finished: "■", failed: "!", clock: "⏱",
  "server-lost": "✖", unanswered: "?", delayed: "…", disconnected: "≠", cancelled: "⊘", slowed: "~", projected: "◆",
  healed: "♥", partitioned: "≠", linkslowed: "~", mended: "=", halfopened: "≠", "server-down": "✖", "replica-cut": "≠", "lost-request": "×", "lost-reply": "×", refused: "!",
};
const WORLD = new Set(["clock", "server-lost", "server-down", "replica-cut", "healed"]);
const DULL = new Set(["replied", "closed", "quiet", "blocked", "sent", "ended"]);

class Timeline {
  constructor(root, recording, select, before = null) {
    this.recording = recording;
    this.select = select;
    this.calls = new Calls(recording);
    this.lives = new Lives(recording);
    this.names = html("div", {class: "names", "aria-hidden": "true"});
    this.picture = svg("svg", {role: "group", "aria-label": "Timeline: the server and the processes"});
    this.spacer = html("div", {class: "spacer"}, this.picture);
    this.scroller = html("div", {class: "scroller", scroll: () => this.scrolled()}, this.spacer);
    this.tip = html("div", {class: "tip", role: "tooltip", id: "tip", hidden: true});
    this.note = html("p", {class: "note", "aria-live": "polite"});
    root.replaceChildren(html("div", {class: "lanes"}, this.names, this.scroller), this.note, this.tip);
    this.picture.addEventListener("click", (event) => this.clicked(event));
    this.scroller.addEventListener("wheel", (event) => this.wheeled(event), {passive: false});
    for (const kind of ["pointerover", "focusin"]) this.picture.addEventListener(kind, (event) => this.explain(event));
    for (const kind of ["pointerleave", "focusout"]) this.picture.addEventListener(kind, () => { this.tip.hidden = true; });
    this.step = 0;
    this.left = 0;
    this.width = this.scroller.clientWidth; // sizes are remembered: to ask for them makes the browser lay out the page
    new ResizeObserver(() => { this.width = this.scroller.clientWidth; this.draw(); }).observe(this.scroller);
    this.zoom = before?.zoom;
    this.setMode(before?.scale.mode ?? "step");
  }

  setMode(mode) {
    this.scale = new Scale(this.recording, mode);
    this.zoom ??= Math.min(Math.max((this.width - 2 * MARGIN) / this.scale.room, 16), 60);
    this.stretch();
  }

  zoomBy(factor) {
    this.zoom = Math.min(Math.max(this.zoom * factor, ZOOM.least), ZOOM.most);
    this.stretch();
  }

  stretch() {
    this.spacer.style.width = `${Math.ceil(this.scale.room * this.zoom + 2 * MARGIN)}px`;
    this.scrollTo(this.x(this.step) - this.width / 2);
    this.drawn = null;
    this.draw();
  }

  scrollTo(left) {
    const most = Math.ceil(this.scale.room * this.zoom + 2 * MARGIN) - this.width;
    this.left = Math.max(Math.min(Math.round(left), most), 0);
    this.scroller.scrollLeft = this.left;
  }

  scrolled() {
    if (Math.abs(this.scroller.scrollLeft - this.left) < 1) return;
    this.left = this.scroller.scrollLeft;
    this.draw();
  }

  x(step) { return MARGIN + this.scale.places[step] * this.zoom; }
  lane(who) { return TOP + LANE * (who + 0.5); }

  show(step) {
    this.step = step;
    const x = this.x(step), {left, width} = this;
    if (x < left + 60 || x > left + width - 60) this.scrollTo(x - width / 2);
    this.draw();
  }

  draw() {
    const {recording, width, left} = this;
    if (!recording.length || !width) return;
    const from = Math.max(this.scale.at((left - MARGIN) / this.zoom) - 1, 0);
    const to = Math.min(this.scale.at((left + width - MARGIN) / this.zoom), recording.length - 1);
    const bottom = TOP + LANE * recording.names.length;
    const {lives, leftOut} = this.lives.between(from, to, LIVES_MOST, new Set(recording.about[this.step]));
    const height = bottom + LIFE * lives.length + 12;
    const drawn = [left, width, from, to, ...lives.map((life) => life.row)].join();
    if (drawn === this.drawn) {
      this.mark();
      return;
    }
    this.drawn = drawn;
    const steps = this.worthDrawing(from, to);
    this.picture.setAttribute("width", width);
    this.picture.setAttribute("height", height);
    this.picture.setAttribute("viewBox", `${left} 0 ${width} ${height}`);
    this.picture.replaceChildren(
      ...this.backdrop(from, to, bottom, height), ...this.stretches(from, to),
      ...lives.flatMap((life, place) => this.life(life, bottom + LIFE * (place + 0.5), from, to)),
      ...steps.flatMap((step) => this.event(step)),
    );
    this.name(lives, bottom);
    const inSight = to - from + 1;
    this.note.textContent = [
      steps.length < inSight ? `${counted(inSight, "event")} in sight, ${steps.length} drawn: zoom in to see all.` : "",
      leftOut ? `${counted(leftOut, "life", "lives")} of entries left out.` : "",
    ].join(" ");
  }

  // The selected step moves, and all else stays.
  mark() {
    this.picture.querySelector(".cursor").setAttribute("x", this.x(this.step) - 7);
    for (const marked of this.picture.querySelectorAll('[tabindex="0"]')) {
      marked.setAttribute("tabindex", -1);
      marked.classList.remove("selected");
    }
    for (const marked of this.picture.querySelectorAll(`[role="button"][data-step="${this.step}"]`)) {
      marked.setAttribute("tabindex", 0);
      marked.classList.add("selected");
    }
  }

  // Where there are too many, what stands out is drawn, and of the rest every so many-th.
  worthDrawing(from, to) {
    const all = Array.from({length: to - from + 1}, (_, i) => from + i);
    if (all.length <= DRAWN_MOST) return all;
    const loud = all.filter((step) => !DULL.has(this.recording.kindOf(step)) || this.recording.brokenAt.has(step));
    const every = Math.ceil(loud.length / DRAWN_MOST);
    return loud.filter((step, i) => i % every === 0 || this.recording.brokenAt.has(step) || step === this.step);
  }

  backdrop(from, to, bottom, height) {
    const {recording, left} = this, right = left + this.width;
    const at = this.x(this.step);
    const parts = [svg("rect", {class: "cursor", x: at - 7, y: 0, width: 14, height})];
    recording.names.forEach((_, who) => {
      parts.push(svg("line", {class: `lane${who ? "" : " server"}`, x1: left, x2: right, y1: this.lane(who), y2: this.lane(who)}));
    });
    let free = -Infinity, last = null;
    for (let step = from; step <= to; step++) {
      if (recording.at[step] === last || this.x(step) < free) continue;
      last = recording.at[step];
      const label = duration(last);
      free = this.x(step) + 7 * label.length + 16;
      parts.push(svg("text", {class: "tick", x: this.x(step), y: 14}, label));
    }
    for (const step of this.scale.breaks) {
      if (step < from || step > to) continue;
      const x = (this.x(step - 1) + this.x(step)) / 2;
      parts.push(svg("path", {class: "break", d: `M${x - 4} ${TOP} l8 8 l-8 8 l8 8 M${x - 4} ${bottom - 24} l8 8 l-8 8 l8 8`},
        svg("title", {}, `${duration(recording.at[step] - recording.at[step - 1])} in which nothing happens`)));
    }
    for (const step of recording.brokenSteps) {
      if (step < from || step > to) continue;
      parts.push(svg("g", {class: "broken", "data-step": step},
        svg("line", {x1: this.x(step), x2: this.x(step), y1: TOP - 6, y2: height}),
        svg("text", {x: this.x(step) - 5, y: bottom - 5, "text-anchor": "end"}, recording.brokenAt.get(step)[0].property)));
    }
    return parts;
  }

  stretches(from, to) {
    const near = (each) => each.from <= to && each.to >= from;
    const box = (each, half) => ({
      x: this.x(each.from), width: Math.max(this.x(each.to) - this.x(each.from), 3), y: this.lane(each.who) - half, height: 2 * half,
    });
    return [
      ...this.calls.outages.filter(near).map((each) => svg("rect", {class: `outage ${each.kind}`, ...box(each, 9)},
        svg("title", {}, `${this.recording.names[each.who]} is ${each.kind === "crashed" ? "down" : "paused"}`))),
      ...this.calls.worksBetween(from, to).map((each) => svg("g", {class: `work p${each.who % 8}${each.cut ? " cut" : ""}`},
        svg("rect", box(each, 7)),
        svg("title", {}, `${this.recording.names[each.who]} handles entry ${each.text}${each.cut ? ", and does not finish" : ""}`),
        svg("text", {x: this.x(each.from) + 4, y: this.lane(each.who) + 4}, each.text))),
    ];
  }

  life(life, y, from, to) {
    const near = (span) => span.from <= to && span.to >= from;
    const parts = life.present.filter(near).map((span) =>
      svg("line", {class: "present", x1: this.x(span.from), x2: this.x(span.to), y1: y, y2: y}));
    for (const span of life.pending.filter(near)) {
      const x = this.x(span.from), wide = Math.max(this.x(span.to) - x, 3);
      const owner = span.owner ?? "nobody";
      parts.push(svg("g", {class: `pending ${span.who ? `p${span.who % 8}` : "other"}${span.gone ? " gone" : ""}`},
        svg("rect", {x, y: y - 8, width: wide, height: 16}),
        svg("title", {}, `${life.name} is pending for ${owner}, delivery ${span.count}${span.gone ? "; the entry itself is gone" : ""}`),
        ...span.orphaned.filter(near).map((each) => svg("rect", {class: "orphaned", x: this.x(each.from), y: y - 8,
          width: Math.max(this.x(each.to) - this.x(each.from), 2), height: 16},
        svg("title", {}, `${life.name} is pending for ${owner}, and nobody runs under that name`))),
        wide > 7 * owner.length + 8 ? svg("text", {x: Math.max(x, this.left) + 5, y: y + 4}, owner) : null));
    }
    return parts;
  }

  event(step) {
    const {recording} = this, kind = recording.kindOf(step), arrow = this.calls.byStep.get(step), parts = [];
    if (arrow) parts.push(this.arrow(arrow));
    const symbol = SYMBOLS[kind];
    if (symbol && !arrow) {
      const y = WORLD.has(kind) ? this.lane(0) : this.lane(recording.who[step]);
      parts.push(svg("g", {class: `mark ${kind}${step === this.step ? " selected" : ""}`, "data-step": step, role: "button", tabindex: step === this.step ? 0 : -1,
        "aria-label": recording.sentence(step)}, svg("circle", {cx: this.x(step), cy: y, r: 8}),
      svg("text", {x: this.x(step), y: y + 4}, symbol)));
    }
    return parts;
  }

  arrow(arrow) {
    const {recording} = this, step = arrow.to, kind = recording.kindOf(step);
    const ends = [{x: this.x(arrow.from), y: this.lane(arrow.who)}, {x: this.x(step), y: this.lane(0)}];
    if (arrow.up) [ends[0].y, ends[1].y] = [ends[1].y, ends[0].y];
    const [a, b] = ends, cut = arrow.lost ? 0.55 : 1;
    const tip = {x: a.x + (b.x - a.x) * cut, y: a.y + (b.y - a.y) * cut};
    const angle = Math.atan2(b.y - a.y, b.x - a.x) * 180 / Math.PI;
    const head = arrow.lost ? "M-5 -5 L5 5 M-5 5 L5 -5" : "M0 0 L-8 -4 L-8 4 Z";
    const look = `arrow ${arrow.up ? "reply" : "request"} ${kind} p${arrow.who % 8}${arrow.lost ? " lost" : ""}`;
    return svg("g", {class: `${look}${step === this.step ? " selected" : ""}`, "data-step": step, "data-arrow": true, role: "button",
      tabindex: step === this.step ? 0 : -1, "aria-label": this.calls.explained(arrow), "aria-describedby": "tip"},
    svg("line", {class: "reach", x1: a.x, y1: a.y, x2: tip.x, y2: tip.y}),
    svg("line", {x1: a.x, y1: a.y, x2: tip.x, y2: tip.y}),
    svg("path", {d: head, transform: `translate(${tip.x} ${tip.y}) rotate(${arrow.lost ? 0 : angle})`}));
  }

  name(lives, bottom) {
    const labels = this.recording.names.map((name, who) =>
      html("span", {class: who ? `p${who % 8}` : "server", title: name || "the server"}, name || "redis"));
    labels.forEach((label, who) => { label.style.top = `${this.lane(who) - 9}px`; });
    const lived = lives.map((life, place) => {
      const label = html("span", {class: "entry", title: life.name}, life.name);
      label.style.top = `${bottom + LIFE * place + 2}px`;
      return label;
    });
    this.names.replaceChildren(...labels, ...lived);
    this.names.style.height = this.picture.getAttribute("height") + "px";
  }

  clicked(event) {
    const marked = event.target.closest("[data-step]");
    const place = (event.clientX - this.scroller.getBoundingClientRect().left + this.scroller.scrollLeft - MARGIN) / this.zoom;
    this.select(marked ? Number(marked.dataset.step) : this.scale.nearest(place));
  }

  wheeled(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoomBy(event.deltaY < 0 ? ZOOM.step : 1 / ZOOM.step);
  }

  explain(event) {
    const marked = event.target.closest("[data-step]");
    if (!marked) { this.tip.hidden = true; return; }
    const step = Number(marked.dataset.step), arrow = marked.dataset.arrow === undefined ? null : this.calls.byStep.get(step);
    const broken = (this.recording.brokenAt.get(step) ?? []).map((violation) => `${violation.property}: ${violation.message}`);
    this.tip.replaceChildren(
      html("strong", {}, `Event ${step}, ${duration(this.recording.at[step])}`),
      html("span", {}, arrow ? this.calls.explained(arrow) : this.recording.sentence(step)),
      ...broken.map((line) => html("span", {class: "bad"}, line)));
    this.tip.hidden = false;
    const box = this.scroller.getBoundingClientRect(), mark = marked.getBoundingClientRect();
    this.tip.style.left = `${Math.min(Math.max(mark.left, 8), window.innerWidth - this.tip.offsetWidth - 8)}px`;
    this.tip.style.top = `${Math.min(mark.bottom + 8, window.innerHeight - this.tip.offsetHeight - 8, box.bottom)}px`;
  }
}
