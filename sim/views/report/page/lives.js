// The life of each entry in each group: when it is in the stream, and who has it pending.

class Lives {
  constructor(recording) {
    this.recording = recording;
    const presences = new Map(), pendings = new Map();
    for (let step = 0; step < recording.length; step++) {
      const ops = recording.ops[step];
      for (let i = 0; i < ops.length; i += 2) {
        const kind = recording.rows[ops[i]][0];
        if (kind === "entry") this.turn(presences, ops[i], step, ops[i + 1]);
        else if (kind === "pending") this.turn(pendings, ops[i], step, ops[i + 1]);
      }
    }
    this.all = [];
    this.users = new Users(recording);
    this.assemble(presences, pendings);
  }

  // A stretch ends, and another one begins where there are cells.
  turn(spans, row, step, cells) {
    if (!spans.has(row)) spans.set(row, []);
    const held = spans.get(row), last = held[held.length - 1];
    if (last && last.to === null) last.to = step;
    if (cells !== null) held.push({from: step, to: null, owner: cells[0], count: cells[2], gone: cells[3] === "gone"});
  }

  assemble(presences, pendings) {
    const end = this.recording.length - 1, rows = this.recording.rows, taken = new Set();
    const closed = (spans) => spans.map((span) => ({...span, to: span.to ?? end}));
    const groups = new Map(); // a stream to how many groups it has had
    rows.forEach(([kind, parent]) => kind === "group" && groups.set(parent, (groups.get(parent) ?? 0) + 1));
    for (const [row, spans] of pendings) {
      const [, group, label, id] = rows[row], stream = rows[group][1];
      const entry = this.recording.entryOf.get(`${stream}:${id}`);
      taken.add(entry);
      const name = groups.get(stream) > 1 ? `entry ${label} · ${rows[group][2]}` : `entry ${label}`;
      this.add(row, entry, name, closed(presences.get(entry) ?? []), closed(spans).map((span) => this.owned(span)));
    }
    for (const [row, spans] of presences) {
      if (!taken.has(row)) this.add(row, row, `entry ${rows[row][2]}`, closed(spans), []);
    }
    this.all.sort((a, b) => a.entry - b.entry || a.row - b.row);
    this.begins = Int32Array.from(this.all, (life) => life.from);
    this.ends = Int32Array.from(this.all, (life) => life.to);
  }

  add(row, entry, name, present, pending) {
    const spans = [...present, ...pending];
    const last = pending.length ? Math.max(...pending.map((span) => span.to)) : Math.max(...present.map((s) => s.to));
    this.all.push({row, entry, name, present, pending, from: Math.min(...spans.map((span) => span.from)), to: last});
  }

  // Who took it by that name, and when nobody runs under it.
  owned(span) {
    if (span.owner === null) return {...span, who: 0, orphaned: []};
    return {...span, who: this.users.last(span.owner, span.from), orphaned: this.users.none(span.owner, span.from, span.to)};
  }

  // The lives to draw between two steps, at most so many: those that the selected step is about, then those that
  // changed hands, then the latest; and how many are left out.
  between(from, to, most, about) {
    const near = [];
    for (let i = 0; i < this.all.length; i++) if (this.begins[i] <= to && this.ends[i] >= from) near.push(this.all[i]);
    const interest = (life) => (about.has(life.entry) ? 100 : 0) + Math.min(life.pending.length, 9);
    const kept = near.length <= most
      ? near
      : [...near].sort((a, b) => interest(b) - interest(a) || b.from - a.from).slice(0, most)
        .sort((a, b) => a.entry - b.entry || a.row - b.row);
    return {lives: kept, leftOut: near.length - kept.length};
  }
}

// Which processes run under which consumer's name, and when.
class Users {
  constructor(recording) {
    this.uses = new Map(); // a name to stretches {who, from, to}
    const now = new Map(), who = new Map(recording.names.map((name, place) => [name, place]));
    for (let step = 0; step < recording.length; step++) {
      const ops = recording.ops[step];
      for (let i = 0; i < ops.length; i += 2) {
        const [kind, , label] = recording.rows[ops[i]];
        if (kind !== "process") continue;
        const [what, consumer] = ops[i + 1], running = what === "running" || what === "paused";
        const last = now.get(label);
        if (last && last.to === Infinity && !(running && last.consumer === consumer)) last.to = step;
        if (running && (!last || last.to !== Infinity)) this.begin(now, label, {who: who.get(label), consumer, from: step, to: Infinity});
      }
    }
  }

  begin(now, label, use) {
    now.set(label, use);
    this.uses.set(use.consumer, [...(this.uses.get(use.consumer) ?? []), use]);
  }

  // The process that used a name last, at a step; 0 where none did.
  last(name, step) {
    return this.uses.get(name)?.findLast((use) => use.from <= step)?.who ?? 0;
  }

  // The stretches between two steps in which nobody runs under a name.
  none(name, from, to) {
    if (!this.uses.has(name)) return []; // the name of a client that nobody told of
    const found = [];
    let free = from;
    for (const use of this.uses.get(name) ?? []) {
      if (use.to <= free || use.from >= to) continue;
      if (use.from > free) found.push({from: free, to: use.from});
      free = Math.max(free, use.to);
    }
    if (free < to) found.push({from: free, to});
    return found;
  }
}
