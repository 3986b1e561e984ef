/** The nodes of a graph that lead back to themselves (Tarjan's algorithm). */
export function onCycles<Node>(
  nodes: Iterable<Node>,
  next: (node: Node) => Iterable<Node>,
): Set<Node> {
  const found = new Set<Node>()
  const index = new Map<Node, number>()
  const low = new Map<Node, number>()
  const stack: Node[] = []
  const onStack = new Set<Node>()
  const visit = (node: Node): void => {
    index.set(node, index.size)
    low.set(node, index.size - 1)
    stack.push(node)
    onStack.add(node)
    for (const other of next(node)) {
      if (other === node) found.add(node)
      if (!index.has(other)) {
        visit(other)
        low.set(node, Math.min(low.get(node) ?? 0, low.get(other) ?? 0))
      } else if (onStack.has(other))
        low.set(node, Math.min(low.get(node) ?? 0, index.get(other) ?? 0))
    }
    if (low.get(node) !== index.get(node)) return
    const component = stack.splice(stack.lastIndexOf(node))
    for (const member of component) {
      onStack.delete(member)
      if (component.length > 1) found.add(member)
    }
  }
  for (const node of nodes) if (!index.has(node)) visit(node)
  return found
}
