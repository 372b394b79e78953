// The report: the run that is embedded in the page, and links to its steps.

const SETTLED_MS = 150; // browsers refuse to note the address of every step of a held key

function embedded() {
  return new Recording(JSON.parse(document.getElementById("recording").textContent));
}

function linked() {
  const found = /(?:^#|&)step=(\d+)/.exec(location.hash);
  return found ? Number(found[1]) : null;
}

function begin() {
  const viewer = new Viewer(document.body);
  let noting = 0;
  viewer.chosen = (step) => {
    clearTimeout(noting);
    noting = setTimeout(() => history.replaceState(null, "", `#step=${step}`), SETTLED_MS);
  };
  window.addEventListener("hashchange", () => { if (linked() !== null) viewer.select(linked()); });
  window.viewer = viewer;
  viewer.open(embedded(), linked() ?? 0);
}

begin();
