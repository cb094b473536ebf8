"""Measure how much of a page moves while it loads."""

from playwright.sync_api import Page

OBSERVE = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
  }).observe({ type: "layout-shift", buffered: true });
"""


def record_shifts(page: Page) -> None:
    """Record the layout shifts of the documents that the page opens from now on."""
    page.add_init_script(OBSERVE)


def largest_shift(page: Page) -> float:
    """Return the largest recorded layout shift: the share of the window that moved, times how far."""
    return float(page.evaluate("Math.max(0, ...window.shifts)"))
