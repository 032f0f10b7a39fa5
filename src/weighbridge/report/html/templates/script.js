"use strict";
(() => {
  const root = document.documentElement;
  const theme = document.querySelector(".theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const label = () => {
    theme.textContent = isDark() ? "Light theme" : "Dark theme";
  };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  prefersDark.addEventListener("change", label);
  label();

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort ?? cell.textContent.trim();
  };
  const compare = (a, b) => {
    const numbers = [Number(a), Number(b)];
    return numbers.some(Number.isNaN) ? a.localeCompare(b) : numbers[0] - numbers[1];
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => {
        const descending = heading.getAttribute("aria-sort") === "ascending";
        for (const other of headings) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column)) * (descending ? -1 : 1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  // The clipboard needs a secure page; where there is none, an old way still works.
  const said = document.querySelector(".said");
  const copyOldWay = (source) => {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };
  const copy = async (source) => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      return true;
    } catch {
      return copyOldWay(source);
    }
  };
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const copied = await copy(button.previousElementSibling);
      button.textContent = copied ? "Copied" : "Select and copy";
      said.textContent = copied ? "Copied." : "Not copied: select the text and copy it.";
      setTimeout(() => {
        button.textContent = "Copy";
      }, 2000);
    });
  }

  // A link to what is folded away opens it.
  const unfold = () => {
    const at = location.hash && document.getElementById(location.hash.slice(1));
    if (at instanceof HTMLDetailsElement) at.open = true;
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  // What is folded away must not be missing on paper.
  const folded = () => document.querySelectorAll("details.keep");
  window.addEventListener("beforeprint", () => folded().forEach((item) => item.setAttribute("open", "")));
})();
