export { inUse, removeLeftovers } from '@tutti/service';
