// The state after a step. Each event changes a few rows; what they were before is kept, so that any step can be reached
// from any other, forward or back.

class State {
  constructor(recording) {
    this.recording = recording;
    this.cells = new Array(recording.rows.length).fill(null);
    this.step = -1;
    this.before = new Array(recording.length);
    while (this.step + 1 < recording.length) this.forward();
    this.children = new Map(); // a row to the rows that belong to it
    recording.rows.forEach(([kind, parent], row) => {
      const key = `${parent} ${kind}`;
      if (!this.children.has(key)) this.children.set(key, []);
      this.children.get(key).push(row);
    });
  }

  goTo(step) {
    while (this.step < step) this.forward();
    while (this.step > step) this.back();
  }

  forward() {
    const ops = this.recording.ops[++this.step];
    if (!ops.length) return;
    const before = new Array(ops.length / 2);
    for (let i = 0; i < ops.length; i += 2) {
      before[i / 2] = this.cells[ops[i]];
      this.cells[ops[i]] = ops[i + 1];
    }
    this.before[this.step] = before;
  }

  back() {
    const ops = this.recording.ops[this.step];
    const before = this.before[this.step--] ?? [];
    for (let i = ops.length - 2; i >= 0; i -= 2) this.cells[ops[i]] = before[i / 2];
  }

  // The rows that this step changed, with what they were before; null where they were not there.
  changed() {
    const found = new Map();
    const ops = this.step < 0 ? [] : this.recording.ops[this.step];
    for (let i = 0; i < ops.length; i += 2) found.set(ops[i], this.before[this.step][i / 2]);
    return found;
  }

  // The rows of a kind that belong to another (-1: to none) and are there; those that just went, too.
  present(kind, parent, changed) {
    const rows = this.children.get(`${parent} ${kind}`) ?? [];
    return rows.filter((row) => this.cells[row] !== null || changed.has(row));
  }
}
