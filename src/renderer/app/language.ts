/**
 * The language of the page: chosen in Settings, kept in this browser or window, read before anything is drawn. Another choice loads
 * the page anew, once all edits are saved: texts are asked for in many places that are made only once.
 */
import { useEngineTexts } from '../../shared/messages/engine-text.ts'
import { isLanguage, type Language, LANGUAGES, useMessages } from '../../shared/messages/messages.ts'

const KEY = 'amc.language'

/** What was chosen before; else the first language of the browser that there is a catalogue for. */
export function chosenLanguage(): Language {
  try {
    const stored = window.localStorage.getItem(KEY)
    if (isLanguage(stored)) return stored
  } catch {
    // A browser that keeps nothing speaks its own language.
  }
  for (const wanted of window.navigator.languages) {
    const found = LANGUAGES.find(({ code }) => code === wanted || wanted.split('-')[0] === code.split('-')[0])
    if (found) return found.code
  }
  return 'en'
}

/** Before any other part of the page is imported. */
export async function startLanguage(): Promise<void> {
  const language = chosenLanguage()
  document.documentElement.lang = language
  if (language === 'en') return
  const { ZH_CN, ZH_CN_ENGINE } = await import('../../shared/messages/zh-CN.ts')
  useMessages(language, ZH_CN)
  useEngineTexts(ZH_CN_ENGINE)
}

/** @returns false where this browser keeps nothing, and so cannot change its language */
export function setLanguage(language: Language): boolean {
  try {
    window.localStorage.setItem(KEY, language)
  } catch {
    return false
  }
  window.location.reload()
  return true
}
