/** Finds the sentences that the engine may say to a person: with {0}, {1}, ... where a value stands. */
import ts from 'typescript'

export interface Sentence {
  readonly text: string
  /** path:line */
  readonly place: string
  /** The message or the cure of an error, which people certainly see. */
  readonly error: boolean
}

export function sentencesOf(path: string, source: string): Sentence[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const found: Sentence[] = []
  const place = (node: ts.Node): string => `${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'AppError') {
      for (const part of (node.arguments ?? []).slice(1, 3)) for (const text of textsOf(part)) if (saysSomething(text)) found.push({ text, place: place(part), error: true })
    } else if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      for (const text of textsOf(node)) found.push({ text, place: place(node), error: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** Every text an expression may give, as far as it is written there. */
function textsOf(node: ts.Node): readonly string[] {
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression)
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node)) return [node.head.text + node.templateSpans.map((span, i) => `{${i}}${span.literal.text}`).join('')]
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)]
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) return [...textsOf(node.left), ...textsOf(node.right)]
  return []
}

/** More than values and signs between them. */
const saysSomething = (text: string): boolean => /[A-Za-z]{2}/.test(text.replace(/\{\d+\}/g, ''))
