/** The language comes first: parts of the page make their texts when they are imported. */
import { startLanguage } from './app/language.ts'
import { startTheme } from './app/theme.ts'
import './ui/tokens.css'
import './ui/base.css'

startTheme()

// A file dropped beside a drop zone must not make the window leave the product.
for (const type of ['dragover', 'drop'] as const) window.addEventListener(type, (event) => event.preventDefault())

// A catalogue that cannot be loaded is no reason for a blank page: it is in English then.
void startLanguage().catch(() => undefined).then(async () => (await import('./app/start.tsx')).start(document.getElementById('root')!))
