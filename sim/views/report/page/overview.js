// The whole run on one strip: how much happens where, what breaks, what is in sight.

class Overview {
  constructor(root, recording, select) {
    this.recording = recording;
    this.canvas = html("canvas", {class: "overview", "aria-hidden": "true", title: "The whole run: click to go there"});
    this.hand = html("div", {class: "hand"});
    this.step = 0;
    root.replaceChildren(html("div", {class: "overviewed"}, this.canvas, this.hand));
    this.canvas.addEventListener("click", (event) => {
      const place = event.offsetX / this.canvas.clientWidth;
      select(Math.min(Math.floor(place * recording.length), recording.length - 1));
    });
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(step) {
    this.step = step;
    this.hand.style.transform = `translateX(${this.x(step)}px)`;
  }

  x(step) { return step / this.recording.length * (this.wide ?? 0); }

  draw() {
    const {canvas, recording} = this, wide = canvas.clientWidth, high = canvas.clientHeight;
    if (!wide || !recording.length) return;
    this.wide = wide;
    canvas.width = wide;
    canvas.height = high;
    const ink = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const strip = this.counts(wide), most = Math.max(...strip, 1);
    ink.fillStyle = colour("--faint");
    strip.forEach((n, at) => ink.fillRect(at, high - n / most * (high - 4), 1, n / most * (high - 4)));
    ink.fillStyle = colour("--bad");
    for (const at of recording.brokenSteps) ink.fillRect(this.x(at) - 1, 0, 3, high);
    this.show(this.step);
  }

  // How many events that stand out there are for each pixel.
  counts(wide) {
    const found = new Array(Math.ceil(wide)).fill(0);
    for (let step = 0; step < this.recording.length; step++) {
      const weight = DULL.has(this.recording.kindOf(step)) ? 1 : 4;
      found[Math.floor(step / this.recording.length * wide)] += weight;
    }
    return found;
  }
}
