/** How a key binding ("$mod+Shift+z") is written on key caps. */
const NAMES: Readonly<Record<string, string>> = {
  ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Enter: '↵', Escape: 'Esc', Delete: 'Del', Backspace: '⌫', Space: 'Space', ' ': 'Space',
  Shift: 'Shift', Alt: 'Alt', Control: 'Ctrl', PageUp: 'PgUp', PageDown: 'PgDn', Home: 'Home', End: 'End', Tab: 'Tab',
}
const MAC_NAMES: Readonly<Record<string, string>> = { $mod: '⌘', Meta: '⌘', Alt: '⌥', Shift: '⇧', Control: '⌃' }

export function isMac(platform: string = typeof navigator === 'undefined' ? '' : navigator.platform): boolean {
  return /^(Mac|iP)/.test(platform)
}

/** One entry a cap, e.g. ["Ctrl", "Shift", "Z"]. Of several presses in sequence all caps are listed. */
export function keyCaps(binding: string, mac: boolean = isMac()): readonly string[] {
  return binding
    .split(' ')
    .flatMap((press) => press.split(/(?<=\w|\])\+/))
    // An optional modifier ("[Shift]+?") is how the key is reached on some keyboards, not part of its name.
    .filter((part) => !part.startsWith('['))
    .map((key) => {
      if (mac && MAC_NAMES[key]) return MAC_NAMES[key]
      if (key === '$mod') return 'Ctrl'
      if (NAMES[key]) return NAMES[key]
      if (/^Key[A-Z]$/.test(key)) return key.slice(3)
      if (/^Digit\d$/.test(key)) return key.slice(5)
      if (key === 'Equal') return '+'
      if (key === 'Minus' || key === '-') return '−'
      if (key === 'Comma') return ','
      if (key === 'Slash') return '/'
      if (key === 'BracketLeft') return '['
      if (key === 'BracketRight') return ']'
      return key.length === 1 ? key.toUpperCase() : key
    })
}
