import { instant } from '@tutti/base';
import { TaskFigures } from './task-figures.js';

describe('figures of running tasks', () => {
  let figures: TaskFigures;
  beforeEach(() => {
    figures = new TaskFigures();
    figures.add('t1', 'w1', instant(10_000));
    figures.add('t2', 'w1', instant(10_000));
    figures.add('t3', 'w2', instant(10_000));
  });

  test('F3: a worker is asked when a task there is silent, once for all its tasks', () => {
    expect(figures.ask(instant(10_999))).toEqual([]);
    figures.heard('t2', 900);
    figures.heard('t3', 900);
    expect(figures.ask(instant(11_000))).toEqual(['w1']);
    expect(figures.ask(instant(11_900))).toEqual(['w2']);
  });

  test('F3: not while a question is open, and again after an answer without news', () => {
    expect(figures.ask(instant(11_000))).toEqual(['w1', 'w2']);
    expect(figures.ask(instant(60_000))).toEqual([]);
    figures.answered('w1');
    expect(figures.ask(instant(60_000))).toEqual(['w1']);
  });

  test('F1: figures that waited behind rows are as old as they are', () => {
    figures.remove('t3');
    figures.heard('t2', 5_000);
    expect(figures.heard('t1', 300)).toBe(true); // It came at 15 000.
    expect(figures.ask(instant(15_000))).toEqual(['w1']);
  });

  test('F2: what was overtaken is no news, and neither are figures of a task that is over', () => {
    expect(figures.heard('t1', 2_000)).toBe(true);
    expect(figures.heard('t1', 2_000)).toBe(true);
    expect(figures.heard('t1', 1_700)).toBe(false);
    figures.remove('t1');
    expect(figures.heard('t1', 3_000)).toBe(false);
  });

  test('nobody is asked for a task that is over', () => {
    figures.remove('t3');
    expect(figures.watches('w1')).toBe(true);
    expect(figures.watches('w2')).toBe(false);
    expect(figures.ask(instant(20_000))).toEqual(['w1']);
  });
});
