/** Why Java does not open a jar: the end of a sentence about it. */
export class JarFault extends Error {
  override readonly name = 'JarFault';
}
