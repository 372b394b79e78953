// The state after a step, as tables; only what the step changed is marked, by colour and in words.

const ROWS_MOST = 40, NEWEST = 8;
const HEADS = {
  group: ["group", "cursor", "lag", "lag told", "pending"],
  entry: ["entry", "ID", "fields"],
  pending: ["entry", "group", "owner", "idle", "deliveries", ""],
  process: ["process", "is", "consumer", "works on"],
  list: ["list", "length", "elements, as they came"],
};
const MEANT = {
  lag: "Entries in the stream beyond the cursor", "lag told": "The lag that the server reported last",
  cursor: "The group's last-delivered-id", idle: "By the server's clock, since its last delivery",
};

class Tables {
  constructor(root, recording) {
    this.root = root;
    this.recording = recording;
  }

  show(state) {
    this.state = state;
    this.changed = state.changed();
    this.now = state.step < 0 ? 0 : this.recording.at[state.step] + this.recording.ahead(state.step);
    const streams = state.present("stream", -1, this.changed);
    const parts = streams.flatMap((stream) => this.stream(stream));
    parts.push(this.table("list", "Lists", state.present("list", -1, this.changed)));
    parts.push(this.table("process", "Processes", state.present("process", -1, this.changed)));
    this.root.replaceChildren(...parts.filter(Boolean));
  }

  stream(stream) {
    const {state, recording} = this, groups = state.present("group", stream, this.changed);
    const name = recording.rows[stream][2], cells = state.cells[stream];
    const pending = groups.flatMap((group) => state.present("pending", group, this.changed));
    const waiting = new Set(pending.map((row) => recording.entryOf.get(`${stream}:${recording.rows[row][3]}`)));
    const entries = state.present("entry", stream, this.changed);
    const length = cells === null ? "removed" : counted(cells[0], "entry", "entries");
    return [
      html("h3", {}, "Stream ", html("b", {}, name), ` · ${length}`),
      this.table("group", `Groups of ${name}`, groups),
      this.table("pending", `Pending in ${name}`, pending, "Nothing is pending."),
      this.table("entry", `Entries of ${name}`, entries, "", waiting),
    ];
  }

  table(kind, caption, rows, empty = "", wanted = new Set()) {
    if (!rows.length) return empty ? html("p", {class: "empty"}, empty) : null;
    const shown = this.chosen(rows, wanted), body = [];
    let last = -1;
    for (const place of shown) {
      if (place > last + 1) body.push(this.gap(place - last - 1, kind));
      body.push(this.row(kind, rows[place]));
      last = place;
    }
    if (last < rows.length - 1) body.push(this.gap(rows.length - 1 - last, kind));
    const heads = HEADS[kind].map((head) => html("th", {scope: "col", title: MEANT[head]}, head));
    return html("table", {class: kind}, html("caption", {}, caption), html("thead", {}, html("tr", {}, ...heads)), html("tbody", {}, ...body));
  }

  // Of many rows: those that changed, those that are wanted, and the newest.
  chosen(rows, wanted) {
    if (rows.length <= ROWS_MOST) return rows.map((_, place) => place);
    const changed = [], some = [];
    for (let place = 0; place < rows.length; place++) {
      if (this.changed.has(rows[place])) changed.push(place);
      else if (wanted.has(rows[place]) && some.length < ROWS_MOST - NEWEST) some.push(place);
    }
    const newest = Array.from({length: NEWEST}, (_, i) => rows.length - NEWEST + i);
    return [...new Set([...changed.slice(-ROWS_MOST), ...some, ...newest])].sort((a, b) => a - b);
  }

  gap(n, kind) {
    return html("tr", {class: "gap"}, html("td", {colspan: HEADS[kind].length}, `… ${counted(n, "more row")}`));
  }

  row(kind, row) {
    const cells = this.state.cells[row], before = this.changed.get(row);
    const isNew = this.changed.has(row) && before === null, went = cells === null;
    const now = this.texts(kind, row, cells ?? before), was = isNew || before === undefined || went ? now : this.texts(kind, row, before);
    const look = went ? "went" : isNew ? "came" : "";
    return html("tr", {class: look, "data-row": this.recording.rows[row][2]}, ...now.map((text, place) => this.cell(text, was[place], place, look)));
  }

  cell(text, was, place, look) {
    const parts = [text];
    if (look && place === 0) parts.push(" ", html("em", {class: "said"}, look === "went" ? "gone now" : "new"));
    if (text === was) return html("td", {}, ...parts);
    return html("td", {class: "changed"}, html("s", {}, was || "–"), " ", html("ins", {}, text || "–"));
  }

  texts(kind, row, cells) {
    const [, parent, label, id, fields] = this.recording.rows[row];
    if (kind === "entry") return [label, id, fields];
    if (kind !== "pending") return [label, ...cells.map(String)];
    const [owner, delivered, count, gone] = cells;
    const idle = owner === null ? "–" : duration(Math.max(this.now - delivered, 0));
    return [label, this.recording.rows[parent][2], owner ?? "nobody", idle, String(count), gone ? "entry is gone" : ""];
  }
}
