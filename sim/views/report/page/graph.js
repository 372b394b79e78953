// A state graph: moved, zoomed and walked through. What it shows was laid out before; lengths are pixels.

const graph = JSON.parse(document.getElementById("recording").textContent);
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const colour = (process) => {
  const place = graph.processes.indexOf(process);
  return `var(--p${place < 0 ? 0 : 1 + (place % 7)})`;
};
const MARGIN = 30, HEAD = 7, REACH = 0.35, FIT_LEAST = 0.2, READABLE = 0.75, ZOOM_MOST = 3;
const isBad = (text) => text.startsWith("✗") || text.endsWith("broken)");

const viewer = {
  chosen: null,
  view: { x: 0, y: 0, scale: 1 },

  start() {
    part("title").textContent = graph.title;
    part("summary").textContent = graph.summary;
    part("badge").textContent = graph.broken.length ? `✗ ${graph.broken.join(", ")}` : "nothing is broken";
    part("badge").dataset.state = graph.broken.length ? "violated" : "holds";
    this.bad = graph.states.flatMap((state, n) => (state.violated.length ? [n] : []));
    for (const way of graph.ways) if (way.deeds.some(([text]) => isBad(text)) && !this.bad.includes(way.to)) this.bad.push(way.to);
    this.bad.sort((one, other) => one - other);
    part("violation").disabled = this.bad.length === 0;
    this.layer = svg("g");
    this.ways = graph.ways.map((way) => this.drawWay(way));
    this.boxes = graph.states.map((state, n) => this.drawState(state, n));
    this.layer.append(...this.ways, ...this.boxes);
    this.picture = svg("svg", { class: "picture", role: "group", "aria-label": graph.title }, this.layer);
    part("picture").append(this.picture);
    this.listen();
    this.open();
    const asked = /^#s(\d+)$/.exec(location.hash);
    this.choose(asked && asked[1] < graph.states.length ? Number(asked[1]) : graph.initial ?? 0, false);
  },

  drawState(state, n) {
    const [x, y] = state.at, [width, height] = state.size, top = y - ((state.lines.length - 1) * 16) / 2;
    const kinds = [
      "state", n === graph.initial && "initial", state.end && "end", state.violated.length && "broken",
      state.loop.startsWith("in a") && "loop",
    ];
    const box = (by, name) => svg("rect", {
      class: name, x: x - width / 2 - by, y: y - height / 2 - by, width: width + 2 * by, height: height + 2 * by, rx: 5,
    });
    return svg("g", {
      class: kinds.filter(Boolean).join(" "), id: `s${n}`, tabindex: 0, role: "button",
      "aria-label": state.lines.join(", "), click: () => this.choose(n), focus: () => this.choose(n, false),
    }, state.end ? box(4, "outer") : null, box(0, "box"), state.lines.map((line, place) =>
      svg("text", { x, y: top + place * 16, class: isBad(line) ? "bad" : null }, line)));
  },

  drawWay(way) {
    const from = graph.states[way.from], to = graph.states[way.to];
    const next = way.through[0] ?? to.at, last = way.through.at(-1) ?? from.at;
    const reached = (state, toward) => {
      const most = state.size[0] * REACH, by = Math.max(-most, Math.min(most, toward[0] - state.at[0]));
      return [state.at[0] + by, state.at[1] + (state.size[1] / 2) * (toward[1] > state.at[1] ? 1 : -1)];
    };
    const end = reached(to, last), down = last[1] < end[1] ? 1 : -1;
    const points = [reached(from, next), ...way.through, [end[0], end[1] - down * HEAD]];
    let line = `M${points[0]}`;
    for (let n = 1; n < points.length; n++) {
      const [x0, y0] = points[n - 1], [x1, y1] = points[n], bend = (y1 - y0) * 0.45;
      line += `C${x0},${y0 + bend} ${x1},${y1 - bend} ${x1},${y1}`;
    }
    const names = [...new Set(way.steps.map((step) => step.process))];
    const broken = way.deeds.some(([text]) => isBad(text));
    const kinds = ["way", way.fault && "fault", broken && "broken"].filter(Boolean).join(" ");
    const [x, y] = way.words, top = y - ((way.deeds.length - 1) * 16) / 2;
    const [ex, ey] = end, back = ey - down * HEAD;
    const group = svg("g", { class: kinds },
      svg("path", { d: line }), svg("polygon", { class: "head", points: `${ex},${ey} ${ex - 4},${back} ${ex + 4},${back}` }),
      way.deeds.map(([text, process], place) => {
        const told = svg("text", { x, y: top + place * 16, class: isBad(text) ? "bad" : null }, text);
        if (!isBad(text)) told.style.color = colour(process);
        return told;
      }));
    if (!broken) group.style.color = colour(names.length === 1 ? names[0] : "");
    return group;
  },

  choose(n, moves = true) {
    if (this.chosen === n && !moves) return;
    this.chosen = n;
    history.replaceState(null, "", `#s${n}`);
    this.boxes.forEach((box, place) => {
      box.classList.toggle("chosen", place === n);
      box.setAttribute("aria-pressed", place === n);
    });
    this.ways.forEach((way, place) => way.classList.toggle("faint", graph.ways[place].from !== n && graph.ways[place].to !== n));
    this.tell(n);
    if (moves) {
      this.boxes[n].focus({ preventScroll: true });
      this.bring(graph.states[n].at);
    }
  },

  tell(n) {
    const state = graph.states[n];
    part("name").textContent = state.stands === 1 ? "One state" : `${counted(state.stands, "state")} that are alike`;
    const said = [
      ["steps from the beginning", state.stands === 1 ? state.depth : `${state.depth} or more`],
      ...state.labels, ["broken", state.violated.join(", ") || "nothing"],
      ["then", state.end ? "nothing follows" : ""], ["a run can stay", state.loop.startsWith("in a") ? state.loop : ""],
    ].filter(([, value]) => value !== "");
    const steps = (title, ways, other) => [
      html("h2", {}, `${title}: ${ways.length || "none"}`),
      html("ul", { class: "steps" }, ways.flatMap((way) => way.steps.map((step) => html("li", {},
        html("button", { type: "button", click: () => this.choose(way[other]) },
          `${step.words}${step.fault ? " (a fault)" : ""}`))))),
    ];
    part("state").replaceChildren(
      html("dl", {}, said.flatMap(([name, value]) => [html("dt", {}, name), html("dd", { class: name === "broken" && state.violated.length ? "bad" : null }, String(value))])),
      ...steps("Steps on", graph.ways.filter((way) => way.from === n), "to"),
      ...steps("Steps that lead here", graph.ways.filter((way) => way.to === n), "from"),
    );
  },

  next(places, from) {
    if (places.length) this.choose(places.find((place) => place > from) ?? places[0]);
  },

  search(onward) {
    const words = part("query").value.trim().toLowerCase();
    const told = (state, n) => [...state.lines, ...state.labels.flat(), ...graph.ways.filter((way) => way.from === n).flatMap((way) => way.steps.map((step) => step.words))];
    const hits = words ? graph.states.flatMap((state, n) => (told(state, n).join("\n").toLowerCase().includes(words) ? [n] : [])) : [];
    this.boxes.forEach((box, n) => box.classList.toggle("hit", hits.includes(n)));
    part("found").textContent = words ? `${counted(hits.length, "state")} of ${graph.states.length}` : "";
    if (onward) this.next(hits, this.chosen);
  },

  beside(by) {
    const y = graph.states[this.chosen].at[1];
    const row = graph.states.map((state, n) => [state.at[0], n, state.at[1]]).filter(([, , at]) => Math.abs(at - y) < 4).sort((one, other) => one[0] - other[0]).map(([, n]) => n);
    this.choose(row[(row.indexOf(this.chosen) + by + row.length) % row.length]);
  },

  room() {
    return this.picture.getBoundingClientRect();
  },

  show() {
    const { x, y, scale } = this.view;
    this.layer.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  },

  whole() {
    const room = this.room();
    const scale = Math.min(1, Math.max(FIT_LEAST, Math.min(room.width / (graph.width + 2 * MARGIN), room.height / (graph.height + 2 * MARGIN))));
    this.view = { x: (room.width - graph.width * scale) / 2, y: MARGIN * scale, scale };
    this.show();
  },

  // All of it where that can be read, else the beginning.
  open() {
    this.whole();
    if (this.view.scale >= READABLE) return;
    const [x, y] = graph.states[graph.initial ?? 0].at;
    this.view = { x: this.room().width / 2 - x, y: MARGIN * 2 - y, scale: 1 };
    this.show();
  },

  // Around a point of the picture; by key or button around the chosen state, which stays where it is.
  zoom(by, x, y) {
    if (x === undefined) {
      const at = graph.states[this.chosen].at;
      this.bring(at);
      x = this.view.x + at[0] * this.view.scale;
      y = this.view.y + at[1] * this.view.scale;
    }
    const scale = Math.min(ZOOM_MOST, Math.max(FIT_LEAST, this.view.scale * by)), ratio = scale / this.view.scale;
    this.view = { x: x - (x - this.view.x) * ratio, y: y - (y - this.view.y) * ratio, scale };
    this.show();
  },

  bring([x, y]) {
    const room = this.room(), at = { x: this.view.x + x * this.view.scale, y: this.view.y + y * this.view.scale };
    if (at.x < 80 || at.x > room.width - 80) this.view.x += room.width / 2 - at.x;
    if (at.y < 60 || at.y > room.height - 60) this.view.y += room.height / 2 - at.y;
    this.show();
  },

  listen() {
    const keys = {
      ArrowDown: () => this.next(graph.ways.filter((way) => way.from === this.chosen).map((way) => way.to), -1),
      ArrowUp: () => this.next(graph.ways.filter((way) => way.to === this.chosen).map((way) => way.from), -1),
      ArrowLeft: () => this.beside(-1), ArrowRight: () => this.beside(1),
      Home: () => this.choose(graph.initial ?? 0), v: () => this.next(this.bad, this.chosen),
      "+": () => this.zoom(1.25), "-": () => this.zoom(0.8), 0: () => this.whole(), "/": () => part("query").focus(),
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const box = event.target.closest?.(".state");
      if (box && (event.key === "Enter" || event.key === " ")) this.choose(Number(box.id.slice(1)));
      else if (event.target === part("query") || !keys[event.key]) return;
      else keys[event.key]();
      event.preventDefault();
    });
    part("start").addEventListener("click", keys.Home);
    part("violation").addEventListener("click", keys.v);
    part("closer").addEventListener("click", keys["+"]);
    part("farther").addEventListener("click", keys["-"]);
    part("whole").addEventListener("click", keys[0]);
    part("query").addEventListener("input", () => this.search(false));
    part("query").addEventListener("keydown", (event) => event.key === "Enter" && this.search(true));
    window.addEventListener("hashchange", () => {
      const asked = /^#s(\d+)$/.exec(location.hash);
      if (asked && asked[1] < graph.states.length) this.choose(Number(asked[1]));
    });
    this.picture.addEventListener("wheel", (event) => {
      const room = this.room();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.clientX - room.x, event.clientY - room.y);
      event.preventDefault();
    }, { passive: false });
    let held = null;
    this.picture.addEventListener("pointerdown", (event) => { held = [event.clientX - this.view.x, event.clientY - this.view.y]; });
    window.addEventListener("pointermove", (event) => {
      if (held === null) return;
      this.view.x = event.clientX - held[0];
      this.view.y = event.clientY - held[1];
      this.show();
    });
    window.addEventListener("pointerup", () => { held = null; });
  },
};
viewer.start();
