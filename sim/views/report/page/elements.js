// Elements from values. Text that comes from a history only ever becomes a text node or an attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";

const html = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => filled(document.createElementNS(SVG, name), attributes, children);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// A time in the unit that people would use, exact: 950 ms, 5.06 s, 2 min 5 s.
function duration(ms) {
  const sign = ms < 0 ? "−" : "";
  ms = Math.abs(ms);
  const seconds = (value) => String(Number((value / 1000).toFixed(3)));
  if (ms < 1000) return `${sign}${ms} ms`;
  if (ms < 60000) return `${sign}${seconds(ms)} s`;
  const minutes = Math.floor(ms / 60000);
  const parts = [[Math.floor(minutes / 60), "h"], [minutes % 60, "min"], [seconds(ms % 60000), "s"]];
  return sign + parts.filter(([value]) => Number(value)).map(([value, unit]) => `${value} ${unit}`).join(" ");
}

const counted = (n, noun, plural = `${noun}s`) => `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
