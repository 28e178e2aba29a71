/** Messages with parts that are more than text: `rich('Press <key>A</key>', { key: (inside) => <kbd>{inside}</kbd> })`. */
import { Fragment, type ReactNode } from 'react'
import { type RichValues, tRich } from '../../shared/messages/messages.ts'

/** @param message a literal, as in `t` */
export function rich(message: string, values: RichValues<ReactNode>, context?: string): ReactNode {
  return tRich<ReactNode>(message, values, context).map((part, i) => <Fragment key={i}>{part}</Fragment>)
}
