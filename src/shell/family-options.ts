/** Options that all commands on a host have. */
import { option } from './option.ts'

export const familyOptions = {
  ipv4: option('-4, --ipv4', 'IPv4, where a name has both families; the default'),
  ipv6: option('-6, --ipv6', 'IPv6'),
} as const
