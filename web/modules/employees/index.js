import { el } from '/assets/el.js';
import { count, formatNumber } from '/assets/format.js';
import { figure, nextStep } from '/assets/parts.js';

export const links = [{ path: '/employees', text: 'Employees', icon: 'people' }];
export const views = [
  { pattern: /^\/employees$/, view: async (given) => (await import('./employees.js')).employeesView(given) },
];
export const styles = ['/modules/employees/employees.css'];

export const home = {
  figures: ({ employees, teams }) =>
    figure('Employees', formatNumber(employees), `in ${count(teams, 'team')}`, '#/employees'),
  panels({ session, onSummary }) {
    const box = el('div', { class: 'slot' });
    if (session.mayWrite)
      onSummary(({ employees }) => box.replaceChildren(...(employees === 0 ? [firstImport()] : [])));
    return box;
  },
};

function firstImport() {
  return nextStep(
    'First, bring in your people.',
    'All it takes is a CSV file with names, email addresses and teams.',
    el('a', { class: 'button primary', href: '#/employees' }, 'Import employees'),
  );
}
