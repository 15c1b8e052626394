for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th");
    if (!event.target.closest("button")) return;
    const opposite = { ascending: "descending", descending: "ascending" };
    const order = opposite[head.getAttribute("aria-sort")] ?? head.dataset.first ?? "ascending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const value = (row) => row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent;
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      if (!value(a) || !value(b)) return !value(a) - !value(b); // empty cells stay last
      const difference = value(a).localeCompare(value(b), undefined, { numeric: true });
      const numbers = value(a) - value(b);
      return (Number.isNaN(numbers) ? difference : numbers) * (order === "ascending" ? 1 : -1);
    });
    table.tBodies[0].append(...rows);
  });
}
