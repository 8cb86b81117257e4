/** The ports of every role, by the name that the manifests and the settings have for them. */
export const rolePorts: Readonly<Record<string, number>> = { cluster: 9090, edge: 8080, metrics: 9464, health: 9465 };

export const roles = ['resource-manager', 'coordinator', 'worker'] as const;
