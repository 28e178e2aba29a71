/** Names of the few messages between the preload script and the shell. */
export const CHOOSE_FOLDER = 'amc:choose-folder'
export const CHOOSE_FILE = 'amc:choose-file'
