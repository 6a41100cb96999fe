/** Events of an embedded bus in LevelDB. */
export {};
