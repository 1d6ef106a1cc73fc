import { become } from './as.mjs'

become('darwin')
