// Requests and replies as arrows between a process and the server, and handlers and outages as stretches of a lane.

const ANSWERS = new Set(["effect", "quiet", "refused", "blocked", "served"]);

class Calls {
  constructor(recording) {
    this.recording = recording;
    this.arrows = []; // in the order of the event that each ends with
    this.works = []; // handlers: {who, from, to, text, cut}
    this.outages = []; // {who, from, to, kind}
    const sent = new Map(), answered = new Map(), working = new Map(), out = new Map();
    for (let step = 0; step < recording.length; step++) {
      const kind = recording.kindOf(step), call = recording.call[step], who = recording.who[step];
      if (kind === "sent") sent.set(call, step);
      if (who > 0 && call) this.ofCall(step, kind, call, who, sent, answered);
      if (ANSWERS.has(kind)) answered.set(call, step);
      this.ofLife(step, kind, who, working, out);
    }
    const end = recording.length - 1;
    for (const works of working.values()) for (const work of works) this.works.push({...work, to: end});
    for (const outage of out.values()) this.outages.push({...outage, to: end});
    this.workBegins = Int32Array.from(this.works, (work) => work.from);
    this.workEnds = Int32Array.from(this.works, (work) => work.to);
    this.byStep = new Map(this.arrows.map((arrow) => [arrow.to, arrow]));
  }

  ofCall(step, kind, call, who, sent, answered) {
    if (ANSWERS.has(kind) && !answered.has(call)) {
      this.arrows.push({who, from: sent.get(call) ?? step, to: step, up: false, lost: false});
    } else if (kind === "lost-request") {
      this.arrows.push({who, from: sent.get(call) ?? step, to: step, up: false, lost: true});
    } else if (kind === "replied" || kind === "lost-reply") {
      this.arrows.push({who, from: answered.get(call) ?? step, to: step, up: true, lost: kind === "lost-reply"});
    }
  }

  ofLife(step, kind, who, working, out) {
    if (kind === "handling") {
      const about = this.recording.about[step].map((row) => this.recording.rows[row][2]);
      const works = working.get(who) ?? [];
      works.push({who, from: step, text: about.join(", "), key: this.recording.about[step].join(), cut: false});
      working.set(who, works);
    } else if (kind === "handled" || kind === "failed") {
      const works = working.get(who) ?? [];
      const at = works.findIndex((work) => work.key === this.recording.about[step].join());
      if (at >= 0) this.works.push({...works.splice(at, 1)[0], to: step, cut: kind === "failed"});
    } else if (kind === "crashed" || kind === "paused") {
      if (kind === "crashed") {
        for (const work of working.get(who) ?? []) this.works.push({...work, to: step, cut: true});
        working.delete(who);
        if (out.has(who)) this.outages.push({...out.get(who), to: step});
      }
      out.set(who, {who, from: step, kind});
    } else if ((kind === "restarted" || kind === "resumed" || kind === "started") && out.has(who)) {
      this.outages.push({...out.get(who), to: step});
      out.delete(who);
    }
  }

  worksBetween(from, to) {
    const found = [];
    for (let i = 0; i < this.works.length; i++) if (this.workBegins[i] <= to && this.workEnds[i] >= from) found.push(this.works[i]);
    return found;
  }

  // What an arrow means, for somebody who has never seen one.
  explained(arrow) {
    const {recording} = this;
    const name = recording.names[arrow.who], text = recording.text[arrow.to];
    const took = recording.at[arrow.to] - recording.at[arrow.from];
    const time = took ? `, ${duration(took)} on its way` : "";
    if (!arrow.up && arrow.lost) {
      return `A request of ${name} that never reaches the server: ${text}. Nothing happens there.`;
    }
    if (arrow.lost) {
      return `A reply that never reaches ${name}: ${text}. The server has done it, and ${name} does not know.`;
    }
    if (arrow.up) return `The server's reply reaches ${name}${time}: ${text}.`;
    return `${name} asks the server${time}: ${text}.`;
  }
}
