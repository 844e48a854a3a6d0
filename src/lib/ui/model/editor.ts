/**
 * The editor of Python sources: CodeMirror in a shadow root, where its styles are constructed sheets,
 * which the page's policy allows. A `<style>` in the document it would not, nor the pictures in data
 * URLs that the lint package underlines with. Loaded when a page first shows a source.
 */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { pythonLanguage } from '@codemirror/lang-python';
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { words } from './words.ts';

/** Something said of a line, from 1. */
export interface Remark {
  line: number;
  severity: 'error' | 'warning' | 'info';
  message: string;
}

export interface EditorOptions {
  /** For screen readers. */
  label: string;
  readonly: boolean;
  onchange: (text: string) => void;
}

export class Editor {
  readonly #view: EditorView;
  readonly #extensions: Extension;
  #file = '';
  /** By file, so that each keeps its history while another one is shown. */
  readonly #states = new Map<string, EditorState>();

  /** Puts an editor into an element that has no shadow root yet. */
  constructor(host: HTMLElement, options: EditorOptions) {
    this.#extensions = extensionsFor(options);
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    const state = EditorState.create({ extensions: this.#extensions });
    this.#view = new EditorView({ state, parent: root, root });
  }

  /** Shows a file; what was typed into it before can be undone if the text is still the same. */
  show(file: string, text: string): void {
    const { state } = this.#view;
    if (file === this.#file && state.doc.toString() === text) return;
    this.#states.set(this.#file, state);
    const kept = this.#states.get(file);
    const doc = state.toText(text);
    const isKept = kept !== undefined && kept.doc.eq(doc);
    this.#file = file;
    this.#view.setState(isKept ? kept : EditorState.create({ doc, extensions: this.#extensions }));
  }

  /** Underlines lines and says why. */
  mark(remarks: readonly Remark[]): void {
    const { doc } = this.#view.state;
    const diagnostics = remarks
      .filter(({ line }) => line >= 1 && line <= doc.lines)
      .map(({ line, severity, message }) => {
        const { from, to, text } = doc.line(line);
        return { from: from + (text.search(/\S/) + 1 || 1) - 1, to, severity, message };
      });
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  /** Brings a line into view, with the cursor at its start; the focus stays where it is. */
  goTo(line: number): void {
    const { doc } = this.#view.state;
    const { from } = doc.line(Math.min(Math.max(1, line), doc.lines));
    const effects = EditorView.scrollIntoView(from, { y: 'center' });
    this.#view.dispatch({ selection: { anchor: from }, effects });
  }

  close(): void {
    this.#view.destroy();
  }
}

function extensionsFor({ label, readonly, onchange }: EditorOptions): Extension {
  const attributes: Record<string, string> = {
    'aria-label': label,
    'aria-description': words.editor.description,
    spellcheck: 'false',
    tabindex: '0', // it is focusable anyway, which checkers do not see
  };
  const common = [
    pythonLanguage,
    syntaxHighlighting(colours),
    lineNumbers(),
    lintGutter(),
    highlightSpecialChars(),
    highlightSelectionMatches(),
    bracketMatching(),
    theme,
    EditorState.tabSize.of(4),
  ];
  if (readonly) {
    const named = { 'aria-label': label, tabindex: '0' };
    return [
      ...common,
      EditorState.readOnly.of(true),
      EditorView.editable.of(false),
      EditorView.contentAttributes.of(named),
      keymap.of([...searchKeymap, ...defaultKeymap]),
    ];
  }
  return [
    ...common,
    history(),
    indentOnInput(),
    indentUnit.of('    '),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    placeholder(words.editor.placeholder),
    EditorView.contentAttributes.of(attributes),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onchange(update.state.doc.toString());
    }),
    keymap.of([...searchKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
  ];
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--second)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  {
    tag: [tags.definition(tags.className), tags.function(tags.definition(tags.variableName))],
    fontWeight: '650',
  },
  { tag: [tags.meta, tags.self], color: 'var(--second)' },
]);

const dot = (colour: string) => ({
  content: 'normal',
  width: '8px',
  height: '8px',
  margin: '5px 2px 0',
  borderRadius: '50%',
  backgroundColor: colour,
});
const underlined = (colour: string) => ({
  backgroundImage: 'none',
  paddingBottom: '0',
  textDecoration: `underline wavy ${colour}`,
  textUnderlineOffset: '3px',
});

const theme = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--raised)', color: 'var(--text)', fontSize: '12px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '18px', scrollbarWidth: 'thin' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 10px' },
  '.cm-placeholder': { color: 'var(--muted)', whiteSpace: 'normal' },
  '.cm-gutters': {
    borderRight: '1px solid var(--line)',
    backgroundColor: 'var(--panel)',
    color: 'var(--muted)',
  },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '28px', padding: '0 6px 0 4px' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--hover) 55%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--hover)', color: 'var(--text)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--bad-soft)' },
  '.cm-selectionMatch, .cm-searchMatch': { backgroundColor: 'var(--accent-soft)' },
  '.cm-searchMatch-selected': { outline: '1px solid var(--accent)' },
  '.cm-specialChar': { color: 'var(--bad)' },
  '.cm-gutter-lint': { width: '14px' },
  '.cm-gutter-lint .cm-gutterElement': { padding: '0' },
  '.cm-lint-marker-error': dot('var(--bad)'),
  '.cm-lint-marker-warning': dot('var(--warn)'),
  '.cm-lint-marker-info': dot('var(--muted)'),
  '.cm-lintRange-error': { ...underlined('var(--bad)'), backgroundColor: 'var(--bad-soft)' },
  '.cm-lintRange-warning': underlined('var(--warn)'),
  '.cm-lintRange-info': underlined('var(--muted)'),
  '.cm-tooltip': {
    maxWidth: 'min(520px, 80vw)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--panel)',
    color: 'var(--text)',
    fontFamily: 'var(--sans)',
  },
  '.cm-diagnostic': { padding: '4px 10px', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeft: '3px solid var(--warn)' },
  '.cm-diagnostic-info': { borderLeft: '3px solid var(--muted)' },
  '.cm-panels': {
    borderColor: 'var(--line)',
    backgroundColor: 'var(--panel)',
    color: 'var(--text)',
    fontFamily: 'var(--sans)',
  },
  '.cm-panels.cm-panels-bottom': { borderTop: '1px solid var(--line)' },
  '.cm-panel.cm-search label': { fontSize: '12px' },
  '.cm-textfield, .cm-button': {
    height: '24px',
    padding: '0 8px',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--raised)',
    backgroundImage: 'none',
    color: 'var(--text)',
    fontSize: '12px',
  },
  '.cm-panel button[name=close]': { color: 'var(--text)', cursor: 'pointer' },
});
