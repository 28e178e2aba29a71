import type { KeyboardEvent } from 'react'

/** Enter that is meant for the field, not for the input method that composes a word in it. */
export const isEnter = (event: KeyboardEvent): boolean => event.key === 'Enter' && !event.nativeEvent.isComposing
