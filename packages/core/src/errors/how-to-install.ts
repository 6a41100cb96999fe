/** What to do about a package of EventManager that is missing. Until a registry has them, `npm install` with a name finds nothing. */
export function howToInstall(name: string): string {
  return `${name} is in no registry yet: "npm run pack" in a clone of EventManager makes it, and prints the line that installs it`;
}
