/** The application menu. Undo and redo belong to the page (they undo edits of regions), so the menu leaves their keys alone. */
import { Menu, type MenuItemConstructorOptions } from 'electron'

export interface MenuActions {
  readonly openProject: () => void
}

export function setApplicationMenu({ openProject }: MenuActions): void {
  const mac = process.platform === 'darwin'
  const template: MenuItemConstructorOptions[] = [
    ...(mac ? [{ role: 'appMenu' as const }] : []),
    {
      label: '&File',
      submenu: [
        { label: 'Open Project…', click: openProject },
        { type: 'separator' },
        mac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    {
      label: '&Edit',
      submenu: [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
    },
    {
      label: '&View',
      submenu: [
        { role: 'reload' }, { role: 'toggleDevTools' }, { type: 'separator' },
        { role: 'resetZoom' }, { role: 'zoomIn' }, { role: 'zoomOut' }, { type: 'separator' }, { role: 'togglefullscreen' },
      ],
    },
    ...(mac ? [{ role: 'windowMenu' as const }] : []),
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
