/** What a config file is about. An auto service is defined in the folder that it works in. */
export type ConfigKind = (typeof CONFIG_KINDS)[number];

export const CONFIG_KINDS = ['service', 'auto-service', 'master'] as const;
