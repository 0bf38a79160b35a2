// Inputs for a filter's operands, by the type of its field and the shape its operator wants; and their values again.
import { words } from "./calls.js";

const DATES = ["DATE", "TIMESTAMP"];
const NUMBERS = ["INTEGER", "RATIO", "DECIMAL"];

function input(type, value, label, more = {}) {
  const element = Object.assign(document.createElement("input"), { type, value: value ?? "", ariaLabel: label, ...more });
  element.dataset.operand = "";
  element.autocomplete = "off";
  return element;
}

function select(label, options, chosen, more = {}) {
  const element = Object.assign(document.createElement("select"), { ariaLabel: label, ...more });
  for (const [value, text] of options) {
    const one = Object.assign(document.createElement("option"), { value, textContent: text });
    one.selected = [].concat(chosen ?? []).map(String).includes(value);
    element.append(one);
  }
  element.dataset.operand = "";
  return element;
}

function one(field, value, label) {
  if (field.kind === "YES_NO") {
    return select(label, [["", "–"], ["true", words("Yes")], ["false", words("No")]], typeof value === "boolean" ? String(value) : "");
  }
  // A field that holds times takes a day or a time; a text input takes both, a date picker would lose the time.
  if (DATES.includes(field.kind)) {
    const timed = typeof value === "string" && value.length > 10;
    return input(timed ? "datetime-local" : "date", timed ? value.slice(0, 16) : value, label);
  }
  if (field.kind === "DURATION") return input("text", value, label, { placeholder: words("HH:MM:SS") });
  if (NUMBERS.includes(field.kind)) return input("number", value, label, { step: "any", inputMode: "decimal" });
  return input("text", value, label);
}

export function operandInputs(field, operator, shape, given) {
  const value = given.value;
  const made = [];
  if (shape === "COUNT") made.push(input("number", value, words("Value"), { min: 1, step: 1 }));
  else if (shape === "PAIR") {
    const pair = Array.isArray(value) ? value : [];
    made.push(one(field, pair[0], words("From")), one(field, pair[1], words("To")));
  } else if (shape === "MANY" && field.values.length) {
    made.push(select(words("Value"), field.values.map((name) => [name, name]), value, { multiple: true, size: Math.min(5, field.values.length) }));
  } else if (shape === "MANY") {
    const area = Object.assign(document.createElement("textarea"), { rows: 2, ariaLabel: words("Value"), placeholder: words("one per line") });
    area.value = Array.isArray(value) ? value.join("\n") : value ?? "";
    area.dataset.operand = "";
    made.push(area);
  } else if (shape === "WORDS" || shape === "PHRASE") made.push(input("text", Array.isArray(value) ? value.join(" ") : value, words("Value")));
  else if (shape === "ONE") made.push(one(field, Array.isArray(value) ? value[0] : value, words("Value")));
  else if (shape !== "NOTHING") throw new Error(`No input for operands of the shape ${shape}`);
  if (DATES.includes(field.kind)) {
    const zones = [["", words("Environment's time zone")], ["contact", words("Each contact's own time zone")]];
    if (given.time_zone && given.time_zone !== "contact") zones.push([given.time_zone, given.time_zone]);
    const zone = select(words("Time Zone"), zones, given.time_zone || "");
    delete zone.dataset.operand;
    zone.dataset.zone = "";
    made.push(zone);
  }
  return made;
}

function typed(field, text, shape) {
  if (text === "") return null;
  if (field.kind === "YES_NO") return text === "true";
  if ((NUMBERS.includes(field.kind) || shape === "COUNT") && Number.isFinite(Number(text))) return Number(text);
  return text;
}

export function readOperands(row, field, operator) {
  const shape = field?.operators.find(([name]) => name === operator)?.[1];
  const inputs = [...row.querySelectorAll("[data-operand]")];
  const zone = row.querySelector("[data-zone]")?.value || null;
  if (!shape || shape === "NOTHING" || !inputs.length) return { value: null, time_zone: zone };
  if (shape === "MANY") {
    const texts = inputs[0].multiple ? [...inputs[0].selectedOptions].map((chosen) => chosen.value) : inputs[0].value.split("\n");
    return { value: texts.map((text) => text.trim()).filter(Boolean).map((text) => typed(field, text)), time_zone: zone };
  }
  const read = inputs.map((one) => typed(field, one.value.trim(), shape));
  if (shape === "PAIR") return { value: read.every((value) => value === null) ? null : read, time_zone: zone };
  return { value: read[0], time_zone: zone };
}
