// The filter builder: rows from what the server knows of fields and operators, checked as they are filled in.
import { ask, root, notify, words } from "./calls.js";
import { conflict, onDelete, refused } from "./dialogs.js";
import { operandInputs, readOperands } from "./operands.js";

const data = (id) => JSON.parse(document.getElementById(id).textContent);
const form = document.getElementById("search-form");
const number = new Intl.NumberFormat(document.documentElement.lang, { useGrouping: "always" });
const fields = data("fields");
const operatorNames = data("operators");
const byKey = Object.fromEntries(fields.map((field) => [field.key, field]));
const rows = document.getElementById("rows");
let requests = 0;
let later;

onDelete(() => document.querySelector("[data-seen]").dataset.seen, "searches");

const make = (tag, given = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), given);
  element.append(...children);
  return element;
};
const option = (value, text, chosen) => make("option", { value, textContent: text, selected: value === chosen });

// --- rows ------------------------------------------------------------------------------------------------------
function addRow(filter) {
  const row = make("div", { className: "filter-row" });
  row.setAttribute("role", "group");
  const field = make("select", { className: "pick-field", ariaLabel: words("Field") }, option("", words("Choose a field"), filter.field || ""));
  for (const one of fields) field.append(option(one.key, one.name, filter.field));
  if (filter.field && !byKey[filter.field]) field.append(option(filter.field, filter.field, filter.field));
  const operator = make("select", { className: "pick-operator", ariaLabel: words("Operator") });
  const operands = make("div", { className: "operands" });
  const remove = make("button", { type: "button", className: "remove", textContent: "×", ariaLabel: words("Remove this filter") });
  const wrong = make("div", { className: "wrong" });
  row.append(field, operator, operands, remove, wrong);
  rows.append(row);

  const fillOperators = (chosen) => {
    const known = byKey[field.value]?.operators || [];
    operator.replaceChildren(...known.map(([name]) => option(name, operatorNames[name] || name, chosen)));
    if (chosen && !known.some(([name]) => name === chosen)) operator.append(option(chosen, chosen, chosen));
    operator.disabled = !operator.children.length;
  };
  const fillOperands = (given) => {
    const kind = byKey[field.value];
    const shape = kind?.operators.find(([name]) => name === operator.value)?.[1];
    operands.replaceChildren(...(kind && shape ? operandInputs(kind, operator.value, shape, given) : []));
  };
  fillOperators(filter.operator);
  fillOperands(filter);
  field.addEventListener("change", () => { fillOperators(); fillOperands({}); });
  operator.addEventListener("change", () => fillOperands({ value: values(row).value }));
  remove.addEventListener("click", () => {
    row.remove();
    check();
    document.getElementById("add").focus();
  });
  return row;
}

function values(row) {
  const field = row.querySelector(".pick-field").value || null;
  const operator = row.querySelector(".pick-operator").value || null;
  return { field, operator, ...readOperands(row, byKey[field], operator) };
}

const content = () => ({
  name: form.elements.name.value.trim(),
  description: form.elements.description.value.trim(),
  filters: [...rows.children].map(values),
});

// --- what is incomplete, how many match ------------------------------------------------------------------------
async function check() {
  const request = ++requests;
  say([words("Counting…")], "");
  let found;
  try {
    found = await ask("POST", `${root}/searches/check`, { ...content(), name: "-" });
  } catch (error) {
    if (request === requests) say([error.message, ...(error.answer?.problems || [])], "tone-failed");
    return;
  }
  if (request !== requests) return;
  mark(found.problems);
  if (!rows.children.length) say([words("A search needs at least one filter.")], "tone-warning");
  else if (found.problems.length) {
    say([words("These filters are incomplete. The search can be saved, but its exports fail until they are completed.")], "tone-warning");
  } else {
    const lines = [`${words("Matching contacts:")} ${number.format(found.matches.matched)}`];
    if (found.matches.roots) lines.push(`${words("Root recordings left out:")} ${number.format(found.matches.roots)}`);
    say(lines, "tone-success");
  }
}

function mark(problems) {
  [...rows.children].forEach((row, index) => {
    const own = problems.filter((problem) => problem.index === index).map((problem) => problem.message);
    row.classList.toggle("incomplete", own.length > 0);
    row.querySelector(".wrong").textContent = own.length ? `${words("This filter is incomplete:")} ${own.join("; ")}` : "";
    for (const input of row.querySelectorAll("select, input, textarea")) input.setAttribute("aria-invalid", String(own.length > 0));
  });
}

function say(lines, tone) {
  const box = document.getElementById("summary");
  box.className = `notice ${tone}`;
  box.replaceChildren(...lines.map((text) => make("p", { textContent: text })));
}

async function look() {
  const box = document.getElementById("preview");
  const summary = box.querySelector("[data-words]");
  box.hidden = false;
  summary.textContent = words("Looking…");
  try {
    const found = await ask("POST", `${root}/searches/preview`, { ...content(), name: "-" });
    summary.textContent = found.rows.length
      ? words("Contacts shown: {shown} of {all}, oldest first, as the CSV shows them.").replace("{shown}", found.rows.length).replace("{all}", number.format(found.matched))
      : words("Nothing matches now.");
    box.querySelector("thead").replaceChildren(make("tr", {}, ...found.columns.map((name) => make("th", { scope: "col", textContent: name }))));
    box.querySelector("tbody").replaceChildren(
      ...found.rows.map((cells) => make("tr", {}, ...cells.map((text) => make("td", { textContent: text, title: text.length > 40 ? text : "" })))),
    );
  } catch (error) {
    summary.textContent = [error.message, ...(error.answer?.problems || []), error.answer?.hint].filter(Boolean).join(" ");
    box.querySelector("thead").replaceChildren();
    box.querySelector("tbody").replaceChildren();
  }
}

async function save(seen) {
  const given = content();
  if (!given.name) {
    form.elements.name.setAttribute("aria-invalid", "true");
    form.elements.name.focus();
    return;
  }
  const id = form.dataset.id;
  try {
    const answer = id
      ? await ask("PUT", `${root}/searches/${id}`, { form: given, seen })
      : await ask("POST", `${root}/searches`, given);
    notify(words("Saved."));
    window.location.assign(`${root}/searches/${answer.id}`);
  } catch (error) {
    if (error.answer?.code === "EDIT_UNSEEN") conflict(error.answer, (etag) => save(etag));
    else refused(error);
  }
}

if (form) {
  for (const filter of data("filters")) addRow(filter);
  if (!("locked" in form.dataset)) {
    check();
    const soon = () => {
      window.clearTimeout(later);
      later = window.setTimeout(check, 400);
    };
    form.addEventListener("input", soon);
    document.getElementById("add").addEventListener("click", () => {
      addRow({}).querySelector("select").focus();
      soon();
    });
    document.getElementById("look").addEventListener("click", look);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save(form.dataset.seen);
    });
    for (const button of form.querySelectorAll("#add, #look, [type=submit]")) button.disabled = false;
  } else {
    document.getElementById("summary").hidden = true;
  }
}
