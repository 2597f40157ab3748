/**
 * The list of chats in groups: pinned, today, yesterday, the last days, then by month.
 *
 * Knows: the order of the list. Knows nothing of: how a group is shown.
 */

const DAY_MS = 86_400_000;

/**
 * Return what each group is called, by the chat that begins it. `words.days` names the near ones,
 * `words.month(date)` the others; `now` is wall time in milliseconds. A list with one group has none.
 */
export function days(list, now, words) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const found = {};
  let before = null;
  for (const { id, updated, isPinned } of list) {
    const name = isPinned ? words.days.pinned : nameOf(updated);
    if (name !== before) found[id] = name;
    before = name;
  }
  return Object.keys(found).length > 1 ? found : {};

  function nameOf(at) {
    // Days of the calendar: one with a change of clocks is an hour longer or shorter, which rounding takes up.
    const age = Math.round((midnight - new Date(at).setHours(0, 0, 0, 0)) / DAY_MS);
    // Also what is no time at all, as in a record from elsewhere.
    if (!(age > 0)) return words.days.today;
    if (age === 1) return words.days.yesterday;
    if (age <= 7) return words.days.week;
    return age <= 30 ? words.days.month : words.month(new Date(at));
  }
}
