/** Finds the messages of a source file: the literals given to `t`, `tRich` and `rich`. */
import ts from 'typescript'

export interface SourceMessage {
  /** path:line */
  readonly place: string
  /** As the catalogue names it: the text, after its context where it has one. */
  readonly key: string
  /** It is given values, and so read as ICU MessageFormat. */
  readonly formatted: boolean
  /** Why it cannot be translated. */
  readonly problem?: string
}

const FUNCTIONS: ReadonlySet<string> = new Set(['t', 'tRich', 'rich'])
/** Where the functions themselves stand. */
const OWN = /(ui[\\/]rich\.tsx|shared[\\/]messages[\\/].*)$/

export function messagesOf(path: string, text: string): SourceMessage[] {
  if (OWN.test(path)) return []
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS)
  const found: SourceMessage[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && FUNCTIONS.has(node.expression.text)) found.push(messageOf(node))
    ts.forEachChild(node, visit)
  }
  const messageOf = (call: ts.CallExpression): SourceMessage => {
    const [message, values, context] = call.arguments
    const place = `${path}:${file.getLineAndCharacterOfPosition(call.getStart()).line + 1}`
    const formatted = values !== undefined && values.getText() !== 'undefined'
    if (!message || !ts.isStringLiteralLike(message)) return { place, key: '', formatted, problem: `${call.expression.getText()} is given no literal` }
    if (context && !ts.isStringLiteralLike(context)) return { place, key: '', formatted, problem: 'the context is no literal' }
    return { place, key: context ? `${context.text}::${message.text}` : message.text, formatted }
  }
  visit(file)
  return found
}
