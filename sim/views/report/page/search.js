// Finding events: by entry (its number, ID or fields), by consumer or process, by property, by any words.

class Search {
  constructor(recording) {
    this.recording = recording;
    this.steps = [];
    this.found = new Set();
  }

  look(query) {
    const words = query.trim().toLowerCase();
    this.steps = words ? this.matching(words) : [];
    this.found = new Set(this.steps);
  }

  matching(words) {
    const {recording} = this, entries = this.entries(words), broken = new Set(), steps = [];
    for (const violation of recording.violations) {
      if (violation.property.toLowerCase().includes(words)) broken.add(violation.step);
    }
    const numbered = /^entry \S+$/.test(words);
    const bounded = /[0-9]$/.test(words);
    const named = new Set(recording.names.flatMap((name, who) => (name && name.toLowerCase().includes(words) ? [who] : [])));
    for (let step = 0; step < recording.length; step++) {
      if (broken.has(step) || named.has(recording.who[step]) || recording.about[step].some((row) => entries.has(row))) steps.push(step);
      else if (!numbered && says(recording.text[step].toLowerCase(), words, bounded)) steps.push(step);
    }
    return steps;
  }

  entries(words) {
    const found = new Set(), number = words.replace(/^entry /, "");
    this.recording.rows.forEach(([kind, , label, id, fields], row) => {
      if (kind !== "entry") return;
      const same = id === words || label.toLowerCase() === number;
      if (same || (words !== number ? false : /[^0-9]/.test(words) && fields.toLowerCase().includes(words))) found.add(row);
    });
    return found;
  }

  // The next step that was found behind a step, or before it; the first or the last where there is none.
  next(step, back) {
    if (!this.steps.length) return step;
    if (back) return this.steps.findLast((each) => each < step) ?? this.steps[this.steps.length - 1];
    return this.steps.find((each) => each > step) ?? this.steps[0];
  }
}

// "entry 3" is not said where "entry 30" is.
function says(text, words, bounded) {
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) {
    if (!bounded || !/[0-9]/.test(text[at + words.length] ?? "")) return true;
  }
  return false;
}
