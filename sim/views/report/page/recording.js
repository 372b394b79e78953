// A run as it was recorded: events in columns, and the tables that they refer to.

class Recording {
  constructor(data) {
    Object.assign(this, data);
    this.length = data.at.length;
    this.processes = data.names.slice(1);
    this.entryOf = new Map(); // "stream row:ID" to the entry's row
    data.rows.forEach(([kind, parent, , id], row) => {
      if (kind === "entry") this.entryOf.set(`${parent}:${id}`, row);
    });
    this.brokenAt = new Map();
    for (const violation of data.violations) {
      if (violation.step === null) continue;
      this.brokenAt.set(violation.step, [...(this.brokenAt.get(violation.step) ?? []), violation]);
    }
    this.brokenSteps = [...this.brokenAt.keys()].sort((a, b) => a - b);
  }

  name(step) { return this.names[this.who[step]]; }
  kindOf(step) { return this.kinds[this.kind[step]]; }

  // Who did what: a whole sentence.
  sentence(step) {
    const name = this.name(step);
    const setup = name === "" && this.call[step] ? "the setup" : name;
    return setup ? `${setup}: ${this.text[step]}` : this.text[step];
  }

  // How far the server's clock is ahead of true time.
  ahead(step) {
    let low = 0, high = this.clock.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.clock[middle][0] <= step) low = middle + 1; else high = middle;
    }
    return low ? this.clock[low - 1][1] : 0;
  }

  entryLabel(row) { return `entry ${this.rows[row][2]}`; }

  // What a row is called in a sentence.
  rowLabel(row) {
    const [kind, parent, label] = this.rows[row];
    if (kind === "pending") return `entry ${label} in group ${this.rows[parent][2]}`;
    return `${kind} ${label}`;
  }
}
