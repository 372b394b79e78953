// Where each event stands on the axis. By step, every event has the same room; by time, gaps show, and long ones are
// shortened with a visible break.

const GAP_MOST = 6; // a gap takes the room of so many events at most
const EVENT_ROOM = 0.45;

class Scale {
  constructor(recording, mode) {
    this.mode = mode;
    this.places = new Float64Array(recording.length);
    this.breaks = []; // events before which time is shortened
    const gaps = [];
    for (let i = 1; i < recording.length; i++) {
      const gap = recording.at[i] - recording.at[i - 1];
      if (gap > 0) gaps.push(gap);
    }
    const typical = gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 1;
    for (let i = 1; i < recording.length; i++) {
      const gap = recording.at[i] - recording.at[i - 1];
      let room = 1;
      if (mode === "time") {
        const wanted = 1.5 * gap / typical;
        room = EVENT_ROOM + Math.min(wanted, GAP_MOST);
        if (wanted > GAP_MOST) this.breaks.push(i);
      }
      this.places[i] = this.places[i - 1] + room;
    }
    this.room = (this.places[recording.length - 1] ?? 0) + 1;
  }

  // The first event at or behind a place.
  at(place) {
    let low = 0, high = this.places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.places[middle] < place) low = middle + 1; else high = middle;
    }
    return low;
  }

  nearest(place) {
    const behind = Math.min(this.at(place), this.places.length - 1);
    if (behind > 0 && place - this.places[behind - 1] < this.places[behind] - place) return behind - 1;
    return behind;
  }
}
