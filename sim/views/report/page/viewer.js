// The page of one run: everything that shows a step, put together, and the keys that move through the run.

const JUMP = 10;

class Viewer {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.chosen = () => {};
    this.wire();
  }

  // Shows a run; the zoom stays what it was.
  open(recording, step) {
    const {part} = this, select = (to) => this.select(to);
    this.recording = recording;
    this.state = new State(recording);
    this.tables = new Tables(part("state"), recording);
    this.events = new Events(part("events"), recording, select);
    this.overview = new Overview(part("overview"), recording, select);
    this.timeline = new Timeline(part("timeline"), recording, select, this.timeline);
    this.search = new Search(recording);
    this.line = null;
    this.tell();
    this.select(step);
  }

  select(step) {
    if (!this.recording.length) return;
    this.step = Math.min(Math.max(step, 0), this.recording.length - 1);
    this.state.goTo(this.step);
    this.tables.show(this.state);
    this.events.show(this.step);
    this.timeline.show(this.step);
    this.overview.show(this.step);
    this.describe();
    this.chosen(this.step);
  }

  describe() {
    const {recording, step} = this, arrow = this.timeline.calls.byStep.get(step);
    const broken = recording.brokenAt.get(step) ?? [];
    this.part("now").replaceChildren(
      html("b", {}, `Event ${step} of ${recording.length - 1} · ${duration(recording.at[step])}`),
      html("span", {}, recording.sentence(step)),
      arrow ? html("span", {class: "hint"}, this.timeline.calls.explained(arrow)) : "",
      ...broken.map((violation) => html("span", {class: "bad"}, `Here ${violation.property} breaks: ${violation.message}`)));
    const line = this.storyLines.findLast((each) => each.at <= step);
    if (line === this.line) return;
    this.line?.removeAttribute("aria-current");
    line?.setAttribute("aria-current", "step");
    line?.scrollIntoView({block: "nearest"});
    this.line = line;
  }

  // What is said once: the verdict, the properties, the story.
  tell() {
    const {recording, part} = this;
    part("title").textContent = recording.title;
    part("subtitle").textContent = recording.subtitle;
    part("summary").textContent = recording.summary;
    part("badge").textContent = recording.badge;
    part("badge").dataset.state = recording.state;
    part("verdict").replaceChildren(...[...recording.verdict, ...recording.notes].map((line) => html("p", {}, line)));
    part("properties").replaceChildren(...recording.properties.map(([name, value]) =>
      html("li", {class: value.replace(" ", "-")}, html("button", {type: "button", click: () => this.query(name)}, name), ` ${value}`)));
    part("replay").textContent = recording.replay;
    part("replay").parentElement.hidden = !recording.replay;
    part("violation").disabled = !recording.brokenSteps.length;
    this.storyLines = recording.story.map(([step, line]) =>
      Object.assign(html("button", {type: "button", "data-step": step}, line), {at: step}));
    part("story").replaceChildren(...this.storyLines.map((line) => html("li", {}, line)));
  }

  wire() {
    const {part} = this, on = (name, act) => part(name).addEventListener("click", act);
    part("story").addEventListener("click", (event) => {
      const line = event.target.closest("[data-step]");
      if (line) this.select(Number(line.dataset.step));
    });
    on("first", () => this.select(0));
    on("back", () => this.select(this.step - 1));
    on("forward", () => this.select(this.step + 1));
    on("last", () => this.select(this.recording.length - 1));
    on("violation", () => this.violation());
    on("closer", () => this.timeline.zoomBy(ZOOM.step));
    on("farther", () => this.timeline.zoomBy(1 / ZOOM.step));
    on("axis", () => this.axis());
    on("copy", () => navigator.clipboard?.writeText(this.recording.replay));
    const field = part("query");
    field.addEventListener("input", () => this.look());
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.next(event.shiftKey);
      else if (event.key === "Escape") field.blur();
      else return;
      event.preventDefault();
    });
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const act = {
      ArrowRight: () => this.select(this.step + 1), ArrowDown: () => this.select(this.step + 1),
      ArrowLeft: () => this.select(this.step - 1), ArrowUp: () => this.select(this.step - 1),
      PageDown: () => this.select(this.step + JUMP), PageUp: () => this.select(this.step - JUMP),
      Home: () => this.select(0), End: () => this.select(this.recording.length - 1),
      v: () => this.violation(), t: () => this.axis(), n: () => this.next(false), N: () => this.next(true),
      "/": () => this.part("query").focus(), "+": () => this.timeline.zoomBy(ZOOM.step), "-": () => this.timeline.zoomBy(1 / ZOOM.step),
    }[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  }

  // To the first violation; where one is shown already, to the next.
  violation() {
    const {brokenSteps} = this.recording;
    const shown = brokenSteps.includes(this.step);
    const step = shown ? brokenSteps.find((each) => each > this.step) ?? brokenSteps[0] : brokenSteps[0];
    if (step !== undefined) this.select(step);
  }

  axis() {
    const mode = this.timeline.scale.mode === "step" ? "time" : "step";
    this.timeline.setMode(mode);
    this.part("axis").textContent = `axis: by ${mode}`;
  }

  query(words) {
    this.part("query").value = words;
    this.look();
    this.next(false);
  }

  look() {
    this.search.look(this.part("query").value);
    this.events.show(this.step, this.search.found);
    this.count();
  }

  next(back) {
    if (this.search.steps.length) this.select(this.search.next(this.step, back));
    this.count();
  }

  count() {
    const {steps} = this.search, at = steps.indexOf(this.step) + 1;
    const none = this.part("query").value.trim() ? "nothing found" : "";
    this.part("found").textContent = steps.length ? `${at ? `${at} of ` : ""}${counted(steps.length, "event")}` : none;
  }
}
